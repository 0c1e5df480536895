//! EIP-2335 keystores, version 4.
//!
//! The password, in NFKD without control characters, gives 32 bytes by scrypt or PBKDF2. The first
//! 16 of them encrypt the secret with AES-128-CTR; the others, hashed with the ciphertext, are the
//! checksum. `pubkey` is the compressed G2 key (96 bytes): our keys are in G2.

use aes::cipher::{KeyIvInit, StreamCipher};
use alloy_primitives::{Bytes, hex};
use cairn_primitives::da::bls::SecretKey;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use sha2::{Digest, Sha256};
use unicode_normalization::UnicodeNormalization;

use super::KeyError;

type Aes128Ctr = ctr::Ctr128BE<aes::Aes128>;

const DERIVED_BYTES: usize = 32;
/// Memory that scrypt may be told to take.
const SCRYPT_MAX_BYTES: u64 = 1 << 30;
const PBKDF2_MAX_ROUNDS: u32 = 1 << 24;

/// A keystore file.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Keystore {
    crypto: Crypto,
    #[serde(default)]
    description: String,
    #[serde(default)]
    pubkey: String,
    #[serde(default)]
    path: String,
    uuid: String,
    version: u32,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
struct Crypto {
    kdf: Module<KdfParams>,
    checksum: Module<Value>,
    cipher: Module<CipherParams>,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
struct Module<P> {
    function: String,
    params: P,
    message: String,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(untagged)]
enum KdfParams {
    Scrypt { dklen: u32, n: u64, p: u32, r: u32, salt: String },
    Pbkdf2 { dklen: u32, c: u32, prf: String, salt: String },
}

#[derive(Debug, Clone, Serialize, Deserialize)]
struct CipherParams {
    iv: String,
}

/// Cost of opening a keystore that is written: `2^log_n` rounds of scrypt with `r = 8`.
#[derive(Debug, Clone, Copy)]
pub struct ScryptCost {
    /// Logarithm of the cost. Memory is `2^(log_n + 10)` bytes.
    pub log_n: u8,
}

impl Default for ScryptCost {
    /// That of EIP-2335: 256 MiB, about a second.
    fn default() -> Self {
        Self { log_n: 18 }
    }
}

impl Keystore {
    /// Encrypts a key. `entropy` are fresh random bytes for salt, IV and UUID.
    ///
    /// # Errors
    /// [`KeyError::Keystore`] for a cost that scrypt has not.
    pub fn create(
        key: &SecretKey,
        password: &str,
        cost: ScryptCost,
        entropy: [u8; 64],
    ) -> Result<Self, KeyError> {
        let (salt, rest) = entropy.split_at(32);
        let (iv, uuid) = rest.split_at(16);
        let kdf = KdfParams::Scrypt {
            dklen: DERIVED_BYTES as u32,
            n: 1_u64.checked_shl(u32::from(cost.log_n)).unwrap_or(0),
            p: 1,
            r: 8,
            salt: hex::encode(salt),
        };
        let derived = kdf.derive("scrypt", &normalized(password))?;
        let mut message = key.to_bytes();
        encrypt(&derived, iv, &mut message)?;
        let text = |function: &str| function.to_string();
        Ok(Self {
            crypto: Crypto {
                checksum: Module {
                    function: text("sha256"),
                    params: Value::Object(serde_json::Map::new()),
                    message: hex::encode(checksum(&derived, &message)),
                },
                cipher: Module {
                    function: text("aes-128-ctr"),
                    params: CipherParams { iv: hex::encode(iv) },
                    message: hex::encode(message),
                },
                kdf: Module { function: text("scrypt"), params: kdf, message: String::new() },
            },
            description: text("Cairn DA operator, BLS12-381 with keys in G2"),
            pubkey: hex::encode(key.public_key().compress()),
            path: String::new(),
            uuid: uuid_v4(uuid),
            version: 4,
        })
    }

    /// Decrypts the key and compares it with the public key that the file names.
    ///
    /// # Errors
    /// [`KeyError::WrongPassword`], [`KeyError::WrongPublicKey`], [`KeyError::Keystore`].
    pub fn open(&self, password: &str) -> Result<SecretKey, KeyError> {
        let key = SecretKey::from_bytes(&self.decrypt(password)?)?;
        let named = from_hex("pubkey", &self.pubkey)?;
        if !named.is_empty() && named[..] != key.public_key().compress()[..] {
            return Err(KeyError::WrongPublicKey);
        }
        Ok(key)
    }

    fn decrypt(&self, password: &str) -> Result<Vec<u8>, KeyError> {
        let Crypto { kdf, checksum: sum, cipher } = &self.crypto;
        if self.version != 4 {
            return Err(KeyError::Keystore(format!("version {} is not 4", self.version)));
        }
        expect("checksum", &sum.function, "sha256")?;
        expect("cipher", &cipher.function, "aes-128-ctr")?;
        let derived = kdf.params.derive(&kdf.function, &normalized(password))?;
        let mut message = from_hex("cipher.message", &cipher.message)?.to_vec();
        let expected = from_hex("checksum.message", &sum.message)?;
        if checksum(&derived, &message)[..] != expected[..] {
            return Err(KeyError::WrongPassword);
        }
        encrypt(&derived, &from_hex("cipher.params.iv", &cipher.params.iv)?, &mut message)?;
        Ok(message)
    }
}

impl KdfParams {
    fn derive(&self, function: &str, password: &[u8]) -> Result<[u8; DERIVED_BYTES], KeyError> {
        let mut derived = [0; DERIVED_BYTES];
        let invalid = |what: String| KeyError::Keystore(what);
        match self {
            Self::Scrypt { dklen, n, p, r, salt } => {
                expect("kdf", function, "scrypt")?;
                expect("dklen", &dklen.to_string(), &DERIVED_BYTES.to_string())?;
                let memory = n.checked_mul(u64::from(*r)).and_then(|bytes| bytes.checked_mul(128));
                let work = memory.and_then(|bytes| bytes.checked_mul(u64::from(*p)));
                if !n.is_power_of_two() || work.is_none_or(|bytes| bytes > SCRYPT_MAX_BYTES) {
                    return Err(invalid(format!("scrypt with n = {n}, r = {r}, p = {p}")));
                }
                let log_n = n.trailing_zeros() as u8;
                let params = scrypt::Params::new(log_n, *r, *p, DERIVED_BYTES)
                    .map_err(|error| invalid(error.to_string()))?;
                scrypt::scrypt(password, &from_hex("salt", salt)?, &params, &mut derived)
                    .map_err(|error| invalid(error.to_string()))?;
            }
            Self::Pbkdf2 { dklen, c, prf, salt } => {
                expect("kdf", function, "pbkdf2")?;
                expect("dklen", &dklen.to_string(), &DERIVED_BYTES.to_string())?;
                expect("prf", prf, "hmac-sha256")?;
                if *c == 0 || *c > PBKDF2_MAX_ROUNDS {
                    return Err(invalid(format!("pbkdf2 with {c} rounds")));
                }
                let salt = from_hex("salt", salt)?;
                pbkdf2::pbkdf2_hmac::<Sha256>(password, &salt, *c, &mut derived);
            }
        }
        Ok(derived)
    }
}

fn expect(what: &str, found: &str, expected: &str) -> Result<(), KeyError> {
    if found == expected {
        return Ok(());
    }
    Err(KeyError::Keystore(format!("{what} {found:?} is not {expected:?}")))
}

fn from_hex(what: &str, text: &str) -> Result<Bytes, KeyError> {
    let bytes = hex::decode(text);
    bytes.map(Bytes::from).map_err(|error| KeyError::Keystore(format!("{what}: {error}")))
}

/// NFKD, without the C0 and C1 control characters and Delete.
fn normalized(password: &str) -> Vec<u8> {
    password.nfkd().filter(|letter| !letter.is_control()).collect::<String>().into_bytes()
}

fn checksum(derived: &[u8; DERIVED_BYTES], message: &[u8]) -> [u8; 32] {
    Sha256::new().chain_update(&derived[16..]).chain_update(message).finalize().into()
}

fn encrypt(derived: &[u8; DERIVED_BYTES], iv: &[u8], data: &mut [u8]) -> Result<(), KeyError> {
    let cipher = Aes128Ctr::new_from_slices(&derived[..16], iv);
    let mut cipher = cipher.map_err(|error| KeyError::Keystore(format!("iv: {error}")))?;
    cipher.apply_keystream(data);
    Ok(())
}

fn uuid_v4(random: &[u8]) -> String {
    let mut bytes = [0; 16];
    for (byte, random) in bytes.iter_mut().zip(random) {
        *byte = *random;
    }
    bytes[6] = bytes[6] & 0x0f | 0x40;
    bytes[8] = bytes[8] & 0x3f | 0x80;
    let text = hex::encode(bytes);
    let part = |range: std::ops::Range<usize>| text.get(range).unwrap_or_default();
    [part(0..8), part(8..12), part(12..16), part(16..20), part(20..32)].join("-")
}

#[cfg(test)]
#[path = "keystore_tests.rs"]
mod tests;
