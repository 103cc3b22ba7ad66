//! Classes of calls: by name outside, by number inside.

use alloc::string::String;
use alloc::vec::Vec;

use super::Fleet;

impl Fleet {
    /// The number of a class, new or not; 0 where too many others are told apart already.
    pub(crate) fn number_class(&mut self, class: Option<&str>) -> u16 {
        let number = self.class_as_compared(class);
        match class {
            Some(name) if number == NEW_CLASS => {
                let number = self.classes.len() as u16 + 1;
                self.classes.insert(String::from(name), number);
                number
            }
            _ => number,
        }
    }

    /// The number of a class, or [`NEW_CLASS`], which is expected to cost the mean.
    pub(crate) fn class_as_compared(&self, class: Option<&str>) -> u16 {
        let Some(name) = class else { return 0 };
        let full = self.classes.len() as u16 + 1 >= CLASSES;
        self.classes.get(name).copied().unwrap_or(if full { 0 } else { NEW_CLASS })
    }

    /// The names of classes, by number from 1.
    pub(crate) fn classes(&self) -> Vec<&str> {
        let mut names: Vec<_> = self.classes.iter().map(|(name, number)| (*number, name.as_str())).collect();
        names.sort_unstable();
        names.into_iter().map(|(_, name)| name).collect()
    }
}

/// Classes told apart, the one for every other call included.
pub(super) const CLASSES: u16 = 64;
/// A class of which no call has been placed yet.
const NEW_CLASS: u16 = u16::MAX;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Config;

    #[test]
    fn classes_are_told_apart_up_to_their_number_and_the_rest_are_one() {
        let mut fleet = Fleet::new(&Config::default());
        for number in 1..CLASSES {
            let name = alloc::format!("class {number}");
            assert_eq!(fleet.class_as_compared(Some(&name)), NEW_CLASS);
            assert_eq!(fleet.number_class(Some(&name)), number);
            assert_eq!(fleet.number_class(Some(&name)), number, "it is known now");
        }
        assert_eq!(fleet.class_as_compared(Some("one more")), 0);
        assert_eq!(fleet.number_class(Some("one more")), 0);
        assert_eq!(fleet.number_class(None), 0);
    }
}
