//! Why there is no key.

use std::path::PathBuf;

use cairn_node_setup::SetupError;
use cairn_primitives::da::bls::BlsError;

/// A key file that cannot be used. All of them end the command; the text says what to change.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    /// The file cannot be read or written, others than its owner may, or it holds neither a keystore nor 32
    /// bytes in hexadecimal.
    #[error(transparent)]
    File(#[from] SetupError),
    /// A keystore needs a password.
    #[error("{path} is a keystore: it needs a password file")]
    NoPassword {
        /// Which file.
        path: PathBuf,
    },
    /// Fields of a keystore that EIP-2335 has not, or costs beyond reason.
    #[error("keystore: {0}")]
    Keystore(String),
    /// The checksum says that the password is another.
    #[error("the password does not open the keystore")]
    WrongPassword,
    /// The bytes are no key.
    #[error(transparent)]
    Key(#[from] BlsError),
    /// The file's public key is not that of the secret in it.
    #[error("the keystore names another public key than its secret has")]
    WrongPublicKey,
}
