//! Scenarios on a small L1, property tests, and one test for each rule.

mod drift;
mod properties;
mod rules;
mod scenarios;
mod speed;
mod world;
