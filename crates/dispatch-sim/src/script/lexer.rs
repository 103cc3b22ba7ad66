//! Takes a kamailio.cfg apart into tokens: comments, strings, and what the preprocessor leaves of it.

use std::collections::BTreeMap;
use std::path::Path;

use super::preprocess::Preprocessor;
use super::token::{Token, TokenKind};
use super::{Doubt, Place, ScriptError};

/// Everything that was read, and what was not understood.
#[derive(Debug, Default)]
pub(super) struct Tokens {
    pub(super) tokens: Vec<Token>,
    pub(super) doubts: Vec<Doubt>,
}

/// Reads files, one inside of the other.
pub(super) struct Lexer {
    read: Tokens,
    preprocessor: Preprocessor,
    /// Files that are being read, the first one first.
    files: Vec<String>,
}

impl Lexer {
    pub(super) fn new(defines: &BTreeMap<String, String>) -> Self {
        Self { read: Tokens::default(), preprocessor: Preprocessor::new(defines), files: Vec::new() }
    }

    /// Reads a file, and what it includes.
    pub(super) fn file(&mut self, path: &Path) -> Result<(), ScriptError> {
        let name = path.display().to_string();
        let refuse = |message: String| Err(ScriptError { place: name.clone(), message });
        if self.files.len() >= MAX_DEPTH || self.files.contains(&name) {
            return refuse("includes itself, or is included too deep".into());
        }
        let bytes = match std::fs::read(path) {
            Ok(bytes) => bytes,
            Err(error) => return refuse(error.to_string()),
        };
        // Bytes that are not UTF-8 stand in comments and names: nothing that is looked for here.
        let text = String::from_utf8_lossy(&bytes);
        self.files.push(name.clone());
        let mut cursor = Cursor { text: &text, place: Place { file: name.into(), line: 1 } };
        self.all(&mut cursor, path)?;
        self.files.pop();
        Ok(())
    }

    /// Everything that was read.
    pub(super) fn finish(mut self) -> Result<Tokens, ScriptError> {
        if let Some(place) = self.preprocessor.open() {
            let message = "this condition has no #!endif".into();
            return Err(ScriptError { place: place.to_string(), message });
        }
        self.read.doubts.append(&mut self.preprocessor.doubts);
        Ok(self.read)
    }

    fn all(&mut self, cursor: &mut Cursor<'_>, path: &Path) -> Result<(), ScriptError> {
        while let Some(first) = cursor.text.chars().next() {
            if first.is_whitespace() {
                cursor.skip(first.len_utf8());
            } else if cursor.text.starts_with("#!") || cursor.text.starts_with("!!") {
                let place = cursor.place.clone();
                let directive = cursor.directive();
                self.preprocessor.directive(&directive, &place)?;
            } else if self.preprocessor.skips() || first == '#' || cursor.text.starts_with("//") {
                cursor.line();
            } else if cursor.text.starts_with("/*") {
                let end = cursor.text.find("*/").ok_or_else(|| cursor.refuse("this comment has no end"))?;
                cursor.skip(end + 2);
            } else {
                self.token(cursor, path)?;
            }
        }
        Ok(())
    }

    fn token(&mut self, cursor: &mut Cursor<'_>, path: &Path) -> Result<(), ScriptError> {
        let place = cursor.place.clone();
        let kind = cursor.token()?;
        if let TokenKind::Word(word) = &kind {
            if matches!(&**word, "include_file" | "import_file") {
                return self.include(word == "include_file", cursor, path);
            }
            if let Some(value) = self.preprocessor.value(word) {
                return self.expand(&value, &place, 0);
            }
        }
        self.push(kind, place);
        Ok(())
    }

    fn push(&mut self, kind: TokenKind, place: Place) {
        let kind = match kind {
            TokenKind::Text(text) => TokenKind::Text(self.preprocessor.substitute(text)),
            other => other,
        };
        // Strings that follow each other are one.
        if let TokenKind::Text(more) = &kind
            && let Some(Token { kind: TokenKind::Text(text), .. }) = self.read.tokens.last_mut()
        {
            text.push_str(more);
            return;
        }
        self.read.tokens.push(Token { place, kind });
    }

    /// The tokens that a defined name stands for, at the place of the name.
    fn expand(&mut self, value: &str, place: &Place, depth: usize) -> Result<(), ScriptError> {
        let mut cursor = Cursor { text: value, place: place.clone() };
        while let Some(first) = cursor.text.chars().next() {
            if first.is_whitespace() {
                cursor.skip(first.len_utf8());
                continue;
            }
            let kind = cursor.token()?;
            match &kind {
                TokenKind::Word(word) if depth < MAX_DEPTH => match self.preprocessor.value(word) {
                    Some(value) => self.expand(&value, place, depth + 1)?,
                    None => self.push(kind, place.clone()),
                },
                _ => self.push(kind, place.clone()),
            }
        }
        Ok(())
    }

    fn include(&mut self, is_needed: bool, cursor: &mut Cursor<'_>, path: &Path) -> Result<(), ScriptError> {
        let place = cursor.place.clone();
        cursor.skip(cursor.text.len() - cursor.text.trim_start().len());
        let named = match cursor.token()? {
            TokenKind::Text(text) => Some(text),
            TokenKind::Word(word) => {
                self.preprocessor.value(&word).map(|value| value.trim_matches('"').to_owned())
            }
            _ => None,
        };
        let Some(named) = named else {
            let message = "a file is included whose name only Kamailio knows".into();
            self.read.doubts.push(Doubt { place, message });
            return Ok(());
        };
        let named = self.preprocessor.substitute(named);
        let beside = path.parent().unwrap_or(Path::new("")).join(&named);
        let found = [beside, named.clone().into()].into_iter().find(|path| path.is_file());
        match found {
            Some(path) => self.file(&path)?,
            None if is_needed => {
                let message = format!("{named} is included and not here: what it says is not known");
                self.read.doubts.push(Doubt { place, message });
            }
            None => {}
        }
        Ok(())
    }
}

/// What is left of a text, and where.
struct Cursor<'a> {
    text: &'a str,
    place: Place,
}

impl<'a> Cursor<'a> {
    fn skip(&mut self, bytes: usize) -> &'a str {
        let (skipped, rest) = self.text.split_at(bytes);
        self.place.line += skipped.matches('\n').count();
        self.text = rest;
        skipped
    }

    /// Goes to the next line.
    fn line(&mut self) -> &'a str {
        self.skip(self.text.find('\n').map_or(self.text.len(), |end| end + 1))
    }

    /// A preprocessor line, with those that it goes on in after a backslash.
    fn directive(&mut self) -> String {
        let mut directive = String::new();
        loop {
            let line = self.line().trim_end();
            match line.strip_suffix('\\') {
                Some(part) => directive.push_str(part),
                None => return directive + line,
            }
        }
    }

    fn token(&mut self) -> Result<TokenKind, ScriptError> {
        let Some(first) = self.text.chars().next() else { return Err(self.refuse("the file ends here")) };
        Ok(match first {
            '"' | '\'' => TokenKind::Text(self.string(first)?),
            '$' => TokenKind::Variable(self.variable()?),
            _ if is_word(first) => word(self.skip(run(self.text))),
            _ => {
                self.skip(first.len_utf8());
                TokenKind::Sign(first)
            }
        })
    }

    /// A string in double quotes knows escapes, one in single quotes does not.
    fn string(&mut self, quote: char) -> Result<String, ScriptError> {
        let mut text = String::new();
        let mut chars = self.text.char_indices().skip(1);
        while let Some((at, char)) = chars.next() {
            match char {
                _ if char == quote => {
                    self.skip(at + 1);
                    return Ok(text);
                }
                '\\' if quote == '"' => match chars.next().map(|(_, char)| char) {
                    Some('n') => text.push('\n'),
                    Some('t') => text.push('\t'),
                    Some('r') => text.push('\r'),
                    Some(char) => text.push(char),
                    None => break,
                },
                _ => text.push(char),
            }
        }
        Err(self.refuse("this string has no end"))
    }

    /// `$ru`, `$var(x)`, `$(ru{uri.user})`, `$xavp(a=>b[0])`.
    fn variable(&mut self) -> Result<String, ScriptError> {
        let name = 1 + run(&self.text[1..]);
        let mut open = 0;
        let rest = &self.text[name..];
        if !rest.starts_with('(') {
            return Ok(self.skip(name).into());
        }
        for (at, char) in rest.char_indices() {
            match char {
                '(' => open += 1,
                ')' if open == 1 => return Ok(self.skip(name + at + 1).into()),
                ')' => open -= 1,
                _ => {}
            }
        }
        Err(self.refuse("this variable has no end"))
    }

    fn refuse(&self, message: &str) -> ScriptError {
        ScriptError { place: self.place.to_string(), message: message.into() }
    }
}

fn word(text: &str) -> TokenKind {
    let hex = text.strip_prefix("0x").or_else(|| text.strip_prefix("0X"));
    let number = hex.map_or_else(|| text.parse().ok(), |digits| i64::from_str_radix(digits, 16).ok());
    number.map_or_else(|| TokenKind::Word(text.into()), TokenKind::Number)
}

fn is_word(char: char) -> bool {
    char.is_alphanumeric() || char == '_'
}

/// How long the word is that a text starts with.
fn run(text: &str) -> usize {
    text.find(|char| !is_word(char)).unwrap_or(text.len())
}

/// Files inside of files, and names that stand for names.
const MAX_DEPTH: usize = 16;
