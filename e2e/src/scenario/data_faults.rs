//! What a DA node does wrong: rules for a [`Proxy`](super::Proxy) in front of it.

use cairn_test_setup::{Act, Passing};

/// The last byte of every row and of every list of commitments is wrong. Everything else passes.
#[must_use]
pub fn wrong_rows(passing: &Passing) -> Act {
    let is_data = ["/v1/rows/", "/v1/headers/"].iter().any(|it| passing.path.starts_with(it));
    if is_data && passing.method == axum::http::Method::GET { Act::alter(flip) } else { Act::Pass }
}

fn flip(_: &Passing, answer: &[u8]) -> Option<Vec<u8>> {
    let mut altered = answer.to_vec();
    // The lowest bit: a field element stays one.
    *altered.last_mut()? ^= 1;
    Some(altered)
}
