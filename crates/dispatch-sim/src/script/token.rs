//! The tokens of a kamailio.cfg.

use super::Place;

/// A token, and where it stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Token {
    pub(super) place: Place,
    pub(super) kind: TokenKind,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum TokenKind {
    Word(String),
    Number(i64),
    /// A string, without its quotes and escapes.
    Text(String),
    /// `$ru`, `$var(x)`: everything that belongs to it.
    Variable(String),
    Sign(char),
}

impl Token {
    pub(super) fn is(&self, sign: char) -> bool {
        self.kind == TokenKind::Sign(sign)
    }

    pub(super) fn text(&self) -> Option<&str> {
        match &self.kind {
            TokenKind::Text(text) => Some(text),
            _ => None,
        }
    }

    /// As it was written, more or less.
    pub(super) fn source(&self) -> String {
        match &self.kind {
            TokenKind::Word(source) | TokenKind::Variable(source) => source.clone(),
            TokenKind::Number(number) => number.to_string(),
            TokenKind::Text(text) => format!("{text:?}"),
            TokenKind::Sign(sign) => sign.to_string(),
        }
    }
}
