//! Finds modules, parameters, blocks and calls among the tokens.

use super::lexer::Tokens;
use super::token::{Token, TokenKind};
use super::{Call, Doubt, Param, Script, ScriptError, Value, names};

pub(super) fn script(read: Tokens) -> Result<Script, ScriptError> {
    let script = Script { doubts: read.doubts, ..Script::default() };
    let mut reader =
        Reader { tokens: &read.tokens, at: 0, blocks: Vec::new(), ahead: None, selected: None, script };
    while reader.at < reader.tokens.len() {
        reader.statement()?;
    }
    if let Some(open) = reader.blocks.last() {
        let place = open.opened.place.to_string();
        return Err(ScriptError { place, message: "this '{' has no '}'".into() });
    }
    Ok(reader.script)
}

struct Reader<'a> {
    tokens: &'a [Token],
    at: usize,
    blocks: Vec<Block<'a>>,
    /// What the next block is.
    ahead: Option<Ahead>,
    /// Where the last selection ended, and which call it was.
    selected: Option<(usize, usize)>,
    script: Script,
}

/// A pair of braces that is open.
struct Block<'a> {
    opened: &'a Token,
    name: Option<String>,
    fallback_of: Option<usize>,
}

enum Ahead {
    Route(String),
    /// It runs when this selection failed.
    FallbackOf(usize),
}

impl<'a> Reader<'a> {
    /// Reads one token, or a statement that matters.
    fn statement(&mut self) -> Result<(), ScriptError> {
        let token = &self.tokens[self.at];
        match &token.kind {
            TokenKind::Sign('{') => {
                let (name, fallback_of) = match self.ahead.take() {
                    Some(Ahead::Route(name)) => (Some(name), None),
                    Some(Ahead::FallbackOf(call)) => (None, Some(call)),
                    None => (None, None),
                };
                self.blocks.push(Block { opened: token, name, fallback_of });
            }
            TokenKind::Sign('}') => {
                self.blocks.pop().ok_or_else(|| refuse(token, "this '}' has no '{'"))?;
            }
            TokenKind::Sign(';') => self.ahead = None,
            TokenKind::Word(word) if self.blocks.is_empty() => return self.top_level(token, word),
            TokenKind::Word(word) if names::is_followed(word) && self.is_next('(') => {
                return self.call(token, word);
            }
            _ => {}
        }
        self.at += 1;
        Ok(())
    }

    fn top_level(&mut self, token: &'a Token, word: &str) -> Result<(), ScriptError> {
        self.at += 1;
        match word {
            "loadmodule" | "loadmodulex" => self.module(token),
            "modparam" | "modparamx" => return self.param(token),
            "children" if self.tokens.get(self.at).is_some_and(|next| next.is('=')) => {
                if let Some(TokenKind::Number(number)) = self.tokens.get(self.at + 1).map(|next| &next.kind) {
                    self.script.children = Some(*number);
                }
            }
            "cfgengine" => {
                self.doubt(token, "the routing is a script of another language, which is not read")
            }
            _ if word == "route" || word.ends_with("_route") => self.route(token, word),
            _ => {}
        }
        Ok(())
    }

    fn module(&mut self, token: &'a Token) {
        let arguments = self.tokens.get(self.at..).unwrap_or_default();
        let Some(path) = arguments.iter().find(|token| !token.is('(')).and_then(Token::text) else {
            return self.doubt(token, "a module is loaded whose name only Kamailio knows");
        };
        let name = path.rsplit('/').next().unwrap_or(path);
        let name = name.strip_suffix(".so").unwrap_or(name).to_owned();
        if name.starts_with("app_") {
            self.doubt(token, &format!("{name} runs scripts of another language, which are not read"));
        }
        self.script.modules.push((name, token.place.clone()));
    }

    fn param(&mut self, token: &'a Token) -> Result<(), ScriptError> {
        let args = self.arguments(token)?;
        match &args[..] {
            [Value::Text(module), Value::Text(name), value] => self.script.params.push(Param {
                place: token.place.clone(),
                module: module.clone(),
                name: name.clone(),
                value: value.clone(),
            }),
            _ => self.doubt(token, "this modparam is not understood"),
        }
        Ok(())
    }

    fn route(&mut self, token: &'a Token, word: &str) {
        let rest = self.tokens.get(self.at..).unwrap_or_default();
        let head: String = rest.iter().take_while(|token| !token.is('{')).map(Token::source).collect();
        let name = format!("{word}{}", head.replace('"', ""));
        self.script.blocks.push((name.clone(), token.place.clone()));
        self.ahead = Some(Ahead::Route(name));
    }

    fn call(&mut self, token: &'a Token, word: &str) -> Result<(), ScriptError> {
        let before = |steps: usize, sign| self.at >= steps && self.tokens[self.at - steps].is(sign);
        let (is_negated, is_alternative) = (before(1, '!'), before(1, '|') && before(2, '|'));
        // `if (a() || b())`: b runs where a failed.
        let alternative_to = self.selected.filter(|(end, _)| is_alternative && *end + 2 == self.at);
        let pending = match self.ahead {
            Some(Ahead::FallbackOf(call)) => Some(call),
            _ => alternative_to.map(|(_, call)| call),
        };
        let fallback_of = pending.or_else(|| self.blocks.iter().rev().find_map(|block| block.fallback_of));
        let block = self.blocks.iter().find_map(|block| block.name.clone()).unwrap_or_default();
        self.at += 1;
        let args = self.arguments(token)?;
        let name = word.to_owned();
        if names::selects(&name) {
            let number = self.script.calls.len();
            self.selected = Some((self.at, number));
            if is_negated {
                self.ahead = Some(Ahead::FallbackOf(number));
            }
        }
        self.script.calls.push(Call { place: token.place.clone(), name, args, block, fallback_of });
        Ok(())
    }

    /// What stands in the parentheses here.
    fn arguments(&mut self, of: &'a Token) -> Result<Vec<Value>, ScriptError> {
        if !self.tokens.get(self.at).is_some_and(|token| token.is('(')) {
            return Err(refuse(of, &format!("'(' is missing after {}", of.source())));
        }
        let (mut args, mut arg, mut open) = (Vec::new(), Vec::new(), 0);
        for token in &self.tokens[self.at..] {
            self.at += 1;
            match token.kind {
                TokenKind::Sign('(') if open == 0 => open += 1,
                TokenKind::Sign(')') if open == 1 => {
                    if !(args.is_empty() && arg.is_empty()) {
                        args.push(value(&arg));
                    }
                    return Ok(args);
                }
                TokenKind::Sign(',') if open == 1 => args.push(value(&std::mem::take(&mut arg))),
                TokenKind::Sign('(') => (open, ()) = (open + 1, arg.push(token)),
                TokenKind::Sign(')') => (open, ()) = (open - 1, arg.push(token)),
                _ => arg.push(token),
            }
        }
        Err(refuse(of, "this '(' has no ')'"))
    }

    fn is_next(&self, sign: char) -> bool {
        self.tokens.get(self.at + 1).is_some_and(|token| token.is(sign))
    }

    fn doubt(&mut self, token: &Token, message: &str) {
        self.script.doubts.push(Doubt { place: token.place.clone(), message: message.into() });
    }
}

fn value(tokens: &[&Token]) -> Value {
    let source = || tokens.iter().map(|token| token.source()).collect::<Vec<String>>().join(" ");
    match tokens {
        [Token { kind: TokenKind::Number(number), .. }] => Value::Number(*number),
        [Token { kind: TokenKind::Sign('-'), .. }, Token { kind: TokenKind::Number(number), .. }] => {
            Value::Number(-number)
        }
        [Token { kind: TokenKind::Text(text), .. }] => Value::Text(text.clone()),
        _ => Value::Unknown(source()),
    }
}

fn refuse(token: &Token, message: &str) -> ScriptError {
    ScriptError { place: token.place.to_string(), message: message.into() }
}
