//! Lets the tests link two copies of one assembly routine.
//!
//! `ethrex-trie`, the independent trie that the tests compare with, and the Keccak of
//! `alloy-primitives` both bring the same public-domain `KeccakF1600` under the same global name.
//! The flag reaches test binaries only: a library is not linked.

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    if std::env::var("CARGO_CFG_TARGET_OS").is_ok_and(|os| os == "linux") {
        println!("cargo::rustc-link-arg=-Wl,--allow-multiple-definition");
    }
}
