//! What is read of a kamailio.cfg, and what is named.

use super::*;

/// Reads a script that lies beside other files.
fn read_with(script: &str, others: &[(&str, &str)], defines: &[(&str, &str)]) -> Result<Script, ScriptError> {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("kamailio.cfg");
    std::fs::write(&file, script).unwrap();
    for (name, text) in others {
        std::fs::write(folder.path().join(name), text).unwrap();
    }
    let defines = defines.iter().map(|(name, value)| ((*name).into(), (*value).into())).collect();
    Script::read(&file, &defines)
}

fn read(script: &str) -> Script {
    read_with(script, &[], &[]).unwrap()
}

/// Line, name and arguments of each call.
fn calls(script: &Script) -> Vec<String> {
    script.calls.iter().map(|call| format!("{}: {call}", call.place.line)).collect()
}

#[test]
fn comments_and_strings_hide_what_they_hold() {
    let script = read(
        "# ds_select_dst(\"1\", \"1\");\n// ds_select_dst(\"1\", \"2\");\n/* modparam(\"dispatcher\", \"flags\", 1)\n*/\n\
         modparam(\"dispatcher\", \"list_file\", \"a # b // c /* \\\"d\\\"\") # end\n\
         request_route {\n  xlog(\"ds_select_dst(1, 3) }\\n\");\n  xlog('} \\');\n  if (ds_select_dst(\"1\", \"4\")) t_relay(); # x\n}\n",
    );
    assert_eq!(calls(&script), ["9: ds_select_dst(\"1\", \"4\")"]);
    assert_eq!(script.params.len(), 1);
    assert_eq!(
        script.param("dispatcher", "list_file").unwrap().value,
        Value::Text("a # b // c /* \"d\"".into())
    );
    assert_eq!(script.calls[0].block, "request_route");
    assert_eq!(script.doubts, []);
}

#[test]
fn the_preprocessor_decides_what_is_there() {
    let text = "#!define ALG 10\n#!define NAME \"dispatcher\"\n#!define TWO \\\n  ALG\n\
        #!ifdef WITH_HASH\n#!redefine ALG 0\n#!else\nmodparam(NAME, \"flags\", 2)\n#!endif\n\
        #!ifndef ALG\n  } what \" is this\n#!endif\n#!trydef ALG 4\n#!substdef \"/LIST/gateways/\"\n\
        modparam(NAME, \"list_file\", \"/etc/\" \"LIST.list\")\nrequest_route { ds_select_dst(\"1\", TWO); }\n";
    let script = read(text);
    assert_eq!(script.number("flags"), Some(2));
    assert_eq!(calls(&script), ["16: ds_select_dst(\"1\", 10)"]);
    let list = &script.param("dispatcher", "list_file").unwrap();
    assert_eq!((list.value.text().as_deref(), list.place.line), (Some("/etc/gateways.list"), 15));

    let script = read_with(text, &[], &[("WITH_HASH", "")]).unwrap();
    assert_eq!(script.number("flags"), None);
    assert_eq!(calls(&script), ["16: ds_select_dst(\"1\", 0)"]);
}

#[test]
fn included_files_are_read_where_they_stand_and_named_where_they_are_not() {
    let main = "#!define FILE \"b.cfg\"\ninclude_file \"a.cfg\"\nimport_file FILE\ninclude_file \"c.cfg\"\nimport_file \"d.cfg\"\n";
    let others = [
        ("a.cfg", "\nmodparam(\"dispatcher\", \"flags\", 1)\n"),
        ("b.cfg", "modparam(\"dispatcher\", \"flags\", 2)\n"),
    ];
    let script = read_with(main, &others, &[]).unwrap();
    let places: Vec<_> = script.params.iter().map(|param| param.place.to_string()).collect();
    assert!(places[0].ends_with("a.cfg:2") && places[1].ends_with("b.cfg:1"), "{places:?}");
    let doubts: Vec<_> =
        script.doubts.iter().map(|doubt| (doubt.place.line, doubt.message.as_str())).collect();
    assert_eq!(doubts, [(4, "c.cfg is included and not here: what it says is not known")]);
    let error = read_with(main, &[("a.cfg", "include_file \"a.cfg\"")], &[]).unwrap_err();
    assert!(error.message.contains("includes itself"), "{error}");
}

#[test]
fn what_is_not_understood_is_named_with_its_line() {
    let check = |text: &str, line: usize, message: &str| {
        let script = read(text);
        let found: Vec<_> = script.doubts.iter().map(|doubt| (doubt.place.line, &*doubt.message)).collect();
        assert!(found.iter().any(|(at, said)| *at == line && said.contains(message)), "{text}: {found:?}");
    };
    check("\n#!ifexp MOD_x\n#!endif\n", 2, "\"MOD_x\" is not evaluated");
    check("#!subst \"/a.*/b/\"\n", 1, "regular expressions");
    check("#!frobnicate a\n", 1, "#!frobnicate is not understood");
    check("\nloadmodule \"app_lua.so\"\n", 2, "another language");
    check("cfgengine \"python\"\n", 1, "another language");
    check("modparam(\"dispatcher\")\n", 1, "this modparam is not understood");
    let both = read(
        "#!ifexp A\nmodparam(\"dispatcher\", \"flags\", 1)\n#!else\nmodparam(\"dispatcher\", \"flags\", 2)\n#!endif\n",
    );
    assert_eq!(both.params.len(), 2);
}

#[test]
fn a_script_that_cannot_be_read_is_refused_with_its_line() {
    let check = |text: &str, place: &str, message: &str| {
        let error = read_with(text, &[], &[]).unwrap_err();
        assert!(error.place.ends_with(place) && error.message.contains(message), "{text}: {error}");
    };
    check("\n\nlist = \"a\n", "kamailio.cfg:3", "string has no end");
    check("/* a\n", "kamailio.cfg:1", "comment has no end");
    check("\n#!ifdef A\n", "kamailio.cfg:2", "no #!endif");
    check("#!endif\n", "kamailio.cfg:1", "#!endif without");
    check("#!else\n", "kamailio.cfg:1", "#!else without");
    check("request_route {\n  {\n}\n", "kamailio.cfg:1", "this '{' has no '}'");
    check("}\n", "kamailio.cfg:1", "this '}' has no '{'");
    check("request_route {\n  ds_select_dst(\"1\"\n}\n", "kamailio.cfg:2", "this '(' has no ')'");
    check("request_route { $var(a = 1; }\n", "kamailio.cfg:1", "variable has no end");
    assert!(
        Script::read(Path::new("no/such.cfg"), &BTreeMap::new()).unwrap_err().place.contains("no/such.cfg")
    );
}

#[test]
fn a_selection_that_runs_where_another_one_failed_is_known() {
    let check = |body: &str, expected: &[Option<usize>]| {
        let script = read(&format!("request_route {{\n{body}\n}}\n"));
        let found: Vec<_> = script.calls.iter().map(|call| call.fallback_of).collect();
        assert_eq!(found, expected, "{body}");
    };
    let (one, two) = ("ds_select_dst(\"1\", \"10\")", "ds_select_dst(\"2\", \"9\")");
    check(&format!("{one}; {two};"), &[None, None]);
    check(&format!("if (!{one}) {{ {two}; }}"), &[None, Some(0)]);
    check(&format!("if (!{one}) {two};"), &[None, Some(0)]);
    check(&format!("if (!{one} && !{two}) exit;"), &[None, Some(0)]);
    check(&format!("if ({one} || {two}) t_relay();"), &[None, Some(0)]);
    check(&format!("if (!{one}) {{ if (!{two}) {{ {two}; }} }}"), &[None, Some(0), Some(1)]);
    check(&format!("if (!{one}) {{ exit; }} {two};"), &[None, None]);
    check(&format!("if (!{one}) exit; {two};"), &[None, None]);
}

#[test]
fn selections_are_known_as_far_as_the_text_tells() {
    let check = |call: &str, expected: &[(Option<u32>, Option<u16>)]| {
        let script = read(&format!("request_route {{ {call}; }}"));
        let selections = script.selections();
        let found: Vec<_> = selections.into_iter().map(|one| (one.set.ok(), one.algorithm.ok())).collect();
        assert_eq!(found, expected, "{call}");
    };
    check("ds_select_dst(1, 4)", &[(Some(1), Some(4))]);
    check("ds_select_domain(\"2\", \"10\", \"3\")", &[(Some(2), Some(10))]);
    check("ds_select_routes(\"1=10;2=9\", \"0\")", &[(Some(1), Some(10)), (Some(2), Some(9))]);
    check("ds_select_routes(\"1=$var(a)\", \"0\")", &[(None, None)]);
    check("ds_select_dst($var(set), \"4\")", &[(None, Some(4))]);
    check("ds_select_dst(\"1\", \"$var(alg)\")", &[(Some(1), None)]);
    check("ds_select_dst(\"1\")", &[(Some(1), None)]);
    check("ds_select_dst(\"-1\", \"99999\")", &[(None, None)]);
}
