use super::*;

const PASSWORD: &str = "𝔱𝔢𝔰𝔱𝔭𝔞𝔰𝔰𝔴𝔬𝔯𝔡🔑";
const SECRET: &str = "000000000019d6689c085ae165831e934ff763ae46a2a6c172b3f1b60a8ce26f";

/// The two test vectors of EIP-2335. Their public key is one of G1, which ours are not.
fn vector(kdf: &str, checksum: &str, message: &str) -> Keystore {
    let text = format!(
        r#"{{"crypto": {{"kdf": {kdf},
        "checksum": {{"function": "sha256", "params": {{}}, "message": "{checksum}"}},
        "cipher": {{"function": "aes-128-ctr",
        "params": {{"iv": "264daa3f303d7259501c93d997d84fe6"}}, "message": "{message}"}}}},
        "description": "", "pubkey": "", "path": "m/12381/60/0/0",
        "uuid": "1d85ae20-35c5-4611-98e8-aa14a633906f", "version": 4}}"#
    );
    serde_json::from_str(&text).unwrap()
}

fn scrypt_vector() -> Keystore {
    vector(
        r#"{"function": "scrypt", "params": {"dklen": 32, "n": 262144, "p": 1, "r": 8,
        "salt": "d4e56740f876aef8c010b86a40d5f56745a118d0906a34e69aec8c0db1cb8fa3"},
        "message": ""}"#,
        "d2217fe5f3e9a1e34581ef8a78f7c9928e436d36dacc5e846690a5581e8ea484",
        "06ae90d55fe0a6e9c5c3bc5b170827b2e5cce3929ed3f116c2811e6366dfe20f",
    )
}

#[test]
fn opens_the_vectors_of_the_eip() {
    let pbkdf2 = vector(
        r#"{"function": "pbkdf2", "params": {"dklen": 32, "c": 262144, "prf": "hmac-sha256",
        "salt": "d4e56740f876aef8c010b86a40d5f56745a118d0906a34e69aec8c0db1cb8fa3"},
        "message": ""}"#,
        "8a9f5d9912ed7e75ea794bc5a89bca5f193721d30868ade6f73043c6ea6febf1",
        "cee03fde2af33149775b7223e7845e4fb2c8ae1792e5f99fe9ecf474cc8c16ad",
    );
    for keystore in [scrypt_vector(), pbkdf2] {
        assert_eq!(hex::encode(keystore.open(PASSWORD).unwrap().to_bytes()), SECRET);
        // Control characters do not count, other letters do.
        let typed = format!("\u{7f}{PASSWORD}\n");
        assert_eq!(hex::encode(keystore.open(&typed).unwrap().to_bytes()), SECRET);
        assert!(matches!(keystore.open("testpasswore"), Err(KeyError::WrongPassword)));
    }
}

#[test]
fn what_is_written_opens_again_with_its_password_only() {
    let key = SecretKey::derive(&[5; 32]).unwrap();
    let cost = ScryptCost { log_n: 4 };
    let keystore = Keystore::create(&key, "secret", cost, [9; 64]).unwrap();
    let text = serde_json::to_string(&keystore).unwrap();
    let read: Keystore = serde_json::from_str(&text).unwrap();
    assert_eq!(read.open("secret").unwrap().to_bytes(), key.to_bytes());
    assert!(matches!(read.open("Secret"), Err(KeyError::WrongPassword)));
    assert_eq!(read.uuid, "09090909-0909-4909-8909-090909090909");
}

#[test]
fn a_keystore_of_another_public_key_is_refused() {
    let key = SecretKey::derive(&[5; 32]).unwrap();
    let mut keystore = Keystore::create(&key, "secret", ScryptCost { log_n: 4 }, [9; 64]).unwrap();
    let other = SecretKey::derive(&[6; 32]).unwrap().public_key();
    keystore.pubkey = hex::encode(other.compress());
    assert!(matches!(keystore.open("secret"), Err(KeyError::WrongPublicKey)));
}

#[test]
fn other_functions_and_costs_beyond_reason_are_refused() {
    let changed = |change: &dyn Fn(&mut Keystore)| {
        let mut keystore = scrypt_vector();
        change(&mut keystore);
        keystore.open(PASSWORD)
    };
    let scrypt = |n, r, p| KdfParams::Scrypt { dklen: 32, n, p, r, salt: "00".into() };
    let results = [
        changed(&|it| it.version = 3),
        changed(&|it| it.crypto.kdf.function = "argon2".into()),
        changed(&|it| it.crypto.checksum.function = "md5".into()),
        changed(&|it| it.crypto.cipher.function = "aes-256-gcm".into()),
        changed(&|it| it.crypto.kdf.params = scrypt(1 << 40, 8, 1)),
        changed(&|it| it.crypto.kdf.params = scrypt(1 << 18, u32::MAX, u32::MAX)),
        changed(&|it| it.crypto.kdf.params = scrypt(12345, 8, 1)),
        changed(&|it| it.crypto.kdf.params = scrypt(0, 8, 1)),
        changed(&|it| it.crypto.cipher.message = "xyz".into()),
    ];
    for (at, result) in results.into_iter().enumerate() {
        assert!(matches!(result, Err(KeyError::Keystore(_))), "{at}: {result:?}");
    }
}
