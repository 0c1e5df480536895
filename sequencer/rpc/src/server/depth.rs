//! How deep JSON nests, without parsing it.

/// Whether arrays and objects nest deeper than `most`. Takes one pass and no memory; the text is
/// JSON already, so brackets in it balance.
pub(super) fn is_deeper(json: &str, most: usize) -> bool {
    let (mut depth, mut in_string, mut escaped) = (0usize, false, false);
    for byte in json.bytes() {
        if in_string {
            match byte {
                _ if escaped => escaped = false,
                b'\\' => escaped = true,
                b'"' => in_string = false,
                _ => {}
            }
            continue;
        }
        match byte {
            b'"' => in_string = true,
            b'[' | b'{' => {
                depth += 1;
                if depth > most {
                    return true;
                }
            }
            b']' | b'}' => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_brackets_outside_strings_count() {
        assert!(!is_deeper("[1,[2],{\"a\":[3]}]", 3));
        assert!(is_deeper("[1,[2],{\"a\":[3]}]", 2));
        assert!(!is_deeper("[\"[[[[\\\"[[[\"]", 1));
        assert!(is_deeper(&"[".repeat(100_000), 64));
    }
}
