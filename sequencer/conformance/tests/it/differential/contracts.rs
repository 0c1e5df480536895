//! Two small contracts that do what is hard on a state: write, vanish, and come back.

use alloy_primitives::{Address, B256, Bytes, U256};

/// Slot that a machine's constructor sets.
const CONSTRUCTOR_SLOT: u8 = 5;

/// A machine. Words of calldata: 0 stores word 2 in slot word 1; 1 destroys it in favour of word 1.
pub(crate) fn machine() -> Vec<u8> {
    let destroy = 0x0e;
    vec![
        0x60, 0x00, 0x35, // CALLDATALOAD(0)
        0x60, destroy, 0x57, // JUMPI
        0x60, 0x40, 0x35, // CALLDATALOAD(64)
        0x60, 0x20, 0x35, // CALLDATALOAD(32)
        0x55, 0x00, // SSTORE, STOP
        0x5b, 0x60, 0x20, 0x35, 0xff, // JUMPDEST, SELFDESTRUCT(CALLDATALOAD(32))
    ]
}

/// Creates a machine, one of whose slots is set from the beginning.
pub(crate) fn machine_init() -> Vec<u8> {
    let runtime = machine();
    let length = u8::try_from(runtime.len()).unwrap();
    let mut init = vec![0x60, 7, 0x60, CONSTRUCTOR_SLOT, 0x55]; // SSTORE
    let offset = u8::try_from(init.len() + 12).unwrap();
    init.extend([0x60, length, 0x80, 0x60, offset, 0x60, 0, 0x39]); // CODECOPY(0, offset, length)
    init.extend([0x60, 0, 0xf3, 0x00]); // RETURN(0, length)
    assert_eq!(init.len(), usize::from(offset));
    [init, runtime].concat()
}

/// A factory: CREATE2 of the init code after word 0 of calldata, which is the salt. An odd salt
/// has the new contract destroyed in the same transaction.
pub(crate) fn factory() -> Vec<u8> {
    let destroy = 0x1c;
    let mut code = vec![
        0x60, 0x20, 0x36, 0x03, // size = CALLDATASIZE - 32
        0x80, 0x60, 0x20, 0x60, 0x00, 0x37, // CALLDATACOPY(0, 32, size)
        0x60, 0x00, 0x35, 0x90, // salt below size
        0x60, 0x00, 0x34, 0xf5, // CREATE2(CALLVALUE, 0, size, salt)
        0x60, 0x00, 0x35, 0x60, 0x01, 0x16, // salt & 1
        0x60, destroy, 0x57, 0x00, // JUMPI, STOP
    ];
    assert_eq!(code.len(), usize::from(destroy));
    code.extend([
        0x5b, 0x60, 0x01, 0x60, 0x00, 0x52, // memory[0] = 1
        0x33, 0x60, 0x20, 0x52, // memory[32] = CALLER
        0x60, 0x00, 0x80, 0x60, 0x40, 0x60, 0x00,
        0x80, // no output, 64 bytes of input, no value
        0x85, 0x5a, 0xf1, 0x00, // CALL(GAS, created), STOP
    ]);
    code
}

/// Calldata of a machine.
pub(crate) fn call(words: [U256; 3]) -> Bytes {
    words.map(|word| word.to_be_bytes::<32>()).concat().into()
}

/// Calldata of the factory.
pub(crate) fn create(salt: u8) -> Bytes {
    [B256::with_last_byte(salt).to_vec(), machine_init()].concat().into()
}

/// Where the factory puts the machine of a salt.
pub(crate) fn created(factory: Address, salt: u8) -> Address {
    factory.create2_from_code(B256::with_last_byte(salt), machine_init())
}
