//! Looks into the freestanding program: that it is static, and that nothing of std came along.

use std::fs;

use anyhow::{Context, ensure};
use object::elf::{PT_DYNAMIC, PT_INTERP};
use object::read::elf::{ElfFile64, ProgramHeader};
use object::{Endianness, Object, ObjectSymbol};
use rustc_demangle::demangle;

/// Says what the program consists of, or what it must not have.
pub(crate) fn inspect(program: &str) -> anyhow::Result<String> {
    let bytes = fs::read(program).with_context(|| format!("cannot read {program}"))?;
    let file = ElfFile64::<Endianness>::parse(&*bytes)?;
    for header in file.elf_program_headers() {
        let kind = header.p_type(file.endian());
        ensure!(kind != PT_INTERP && kind != PT_DYNAMIC, "{program} is linked dynamically");
    }

    let names = || file.symbols().filter_map(|symbol| symbol.name().ok()).map(readable);
    if let Some(name) = names().find(|name| names_crate(name, "std")) {
        anyhow::bail!("{program} contains {name}");
    }
    // A program without symbols would pass for one without std.
    let count = |root| names().filter(|name| names_crate(name, root)).count();
    let (ours, core) = (count("callsteer"), count("core"));
    ensure!(ours > 0 && core > 0, "{program} has lost its symbols: {ours} of callsteer, {core} of core");
    Ok(format!("{program}: static, {ours} symbols of callsteer, {core} of core, none of std"))
}

/// The name as written in Rust, without the compiler's hashes.
fn readable(symbol: &str) -> String {
    format!("{:#}", demangle(symbol))
}

/// Whether a path that begins in this crate stands anywhere in a symbol's name.
fn names_crate(symbol: &str, root: &str) -> bool {
    symbol.match_indices(root).any(|(at, _)| {
        let before = symbol[..at].chars().next_back();
        let begins_here = before.is_none_or(|c| !c.is_alphanumeric() && !matches!(c, '_' | ':'));
        begins_here && symbol[at + root.len()..].starts_with("::")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn std_is_found_in_symbols_of_both_manglings() {
        let check = |symbol: &str, expected| {
            let name = readable(symbol);
            assert_eq!(names_crate(&name, "std"), expected, "{symbol}: {name}");
        };
        check("_ZN3std2io5stdio6_print17h0123456789abcdefE", true);
        check(
            "_ZN58_$LT$std..io..error..Error$u20$as$u20$core..fmt..Debug$GT$3fmt17h0123456789abcdefE",
            true,
        );
        check("_RNvNtNtCs1234_3std2io5stdio6__print", true);
        check("_RINvNtCs1234_4core3ptr13drop_in_placeNtNtNtCs1234_3std2io5error5ErrorE", true);
        check("_ZN4core3fmt5write17h0123456789abcdefE", false);
        check("_RNvNtCs1234_4core3fmt5write", false);
        check("_ZN9callsteer3std4nope17h0123456789abcdefE", false);
        check("_ZN6my_std4nope17h0123456789abcdefE", false);
        check("memcpy", false);
    }

    #[test]
    fn an_ordinary_program_is_refused() {
        let this = std::env::current_exe().unwrap();
        assert!(inspect(&this.to_string_lossy()).is_err());
    }
}
