//! The codec held against c-kzg and kzg-rs, and given what liars send.

mod commit;
mod extension;
mod opening;
mod verify;
