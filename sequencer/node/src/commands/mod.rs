//! One file for each command.

pub(crate) mod db;
pub(crate) mod import;
pub(crate) mod init;
pub(crate) mod run;
pub(crate) mod statetest;
