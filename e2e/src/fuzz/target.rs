//! What is fuzzed.

use std::borrow::Cow;
use std::fmt;

/// What came of one execution. Two inputs with the same outcome took, as far as can be told without
/// instrumentation, the same way.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Outcome {
    accepted: bool,
    name: Cow<'static, str>,
}

impl Outcome {
    /// The input is what it claims to be. The name tells apart what may be.
    pub fn accepted(name: impl Into<Cow<'static, str>>) -> Self {
        Self { accepted: true, name: name.into() }
    }

    /// The input is refused for a reason that has a name.
    pub fn refused(name: impl Into<Cow<'static, str>>) -> Self {
        Self { accepted: false, name: name.into() }
    }

    /// The input is refused with this error: named by its variant, the values left out, since there is no
    /// end of those.
    pub fn error(error: &dyn fmt::Debug) -> Self {
        let text = format!("{error:?}");
        // `Length { expected: 90, .. }`, `Shape(Rows(3))`: words are names unless they begin a value.
        let words = text.split(|c: char| !c.is_ascii_alphanumeric() && c != '_');
        let names = words.filter(|word| word.starts_with(|c: char| c.is_ascii_uppercase()));
        Self { accepted: false, name: names.take(3).collect::<Vec<_>>().join(".").into() }
    }

    /// Whether the input was accepted.
    pub const fn is_accepted(&self) -> bool {
        self.accepted
    }

    /// Its name.
    pub fn name(&self) -> &str {
        &self.name
    }
}

/// Executes an input; panics where something is wrong.
pub type Execute = Box<dyn FnMut(&[u8]) -> Outcome>;

/// A decoder, or what stands behind one.
pub struct Target {
    /// Name, of letters and dashes.
    pub name: &'static str,
    /// Valid inputs, of every kind there is. They must be accepted.
    pub seeds: Vec<Vec<u8>>,
    /// Byte strings that inputs are made of: constants, moduli, keywords.
    pub tokens: Vec<Vec<u8>>,
    /// Longest input.
    pub max_bytes: usize,
    /// What is done with an input.
    pub execute: Execute,
}

impl fmt::Debug for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Target").field("name", &self.name).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[expect(dead_code, reason = "the fields are there for their Debug")]
    fn errors_are_named_without_their_values() {
        #[derive(Debug)]
        enum Shape {
            Rows(u16),
        }
        #[derive(Debug)]
        enum Error {
            Length { expected: usize },
            Shape(Shape),
        }
        assert_eq!(Outcome::error(&Error::Length { expected: 7 }).name(), "Length");
        assert_eq!(Outcome::error(&Error::Shape(Shape::Rows(3))).name(), "Shape.Rows");
        assert!(!Outcome::error(&Error::Length { expected: 7 }).is_accepted());
    }
}
