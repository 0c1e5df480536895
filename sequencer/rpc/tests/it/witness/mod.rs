//! `debug_executionWitness`: a block executed again from its witness alone.

mod trie;

use std::collections::BTreeMap;
use std::sync::Mutex;

use alloy::consensus::{SignableTransaction, TxEip1559};
use alloy::eips::eip2718::Encodable2718;
use alloy::signers::SignerSync;
use alloy_primitives::map::B256Map;
use alloy_primitives::{Address, B256, Bytes, TxKind, U256, keccak256};
use alloy_rlp::Decodable;
use alloy_trie::{EMPTY_ROOT_HASH, TrieAccount};
use cairn_chain::{AttributesSource, BlockRef, Chain, DerivedPayload, DevAttributes};
use cairn_evm::{BlockDiff, BlockExecutor, EvmConfig};
use cairn_genesis::DEV_SYSTEM;
use cairn_primitives::{Account, Header, ReadError, RecoveredBlock, StateReader};
use serde::Deserialize;
use serde_json::json;

use crate::client::{call, result};
use crate::node::{TestNode, config, open_chain};
use crate::sending::signer;
use trie::{Known, Node, path};

/// `sstore(calldataload(0), calldataload(32))`.
const WRITER: [u8; 7] = [0x60, 0x20, 0x35, 0x5f, 0x35, 0x55, 0x00];
/// `sstore(0, blockhash(calldataload(0)))`.
const HASHER: [u8; 6] = [0x5f, 0x35, 0x40, 0x5f, 0x55, 0x00];

#[derive(Debug, Deserialize)]
struct Witness {
    state: Vec<Bytes>,
    codes: Vec<Bytes>,
    keys: Vec<Bytes>,
    headers: Vec<Bytes>,
}

/// The parent's state as far as the witness shows it.
#[derive(Debug)]
struct Stateless {
    known: Known,
    accounts: Mutex<Node>,
    storage: Mutex<BTreeMap<Address, Node>>,
    codes: B256Map<Bytes>,
    hashes: BTreeMap<u64, B256>,
}

impl Stateless {
    /// Checks the headers against each other and the block.
    fn new(witness: &Witness, block: &RecoveredBlock) -> Self {
        let mut hashes = BTreeMap::new();
        let mut parent: Option<Header> = None;
        for bytes in &witness.headers {
            let header = Header::decode(&mut &bytes[..]).unwrap();
            if let Some(parent) = parent {
                assert_eq!(header.parent_hash, parent.hash_slow());
            }
            hashes.insert(header.number, header.hash_slow());
            parent = Some(header);
        }
        let parent = parent.expect("the parent's header");
        assert_eq!(parent.hash_slow(), block.header().parent_hash);
        Self {
            known: witness.state.iter().map(|node| (keccak256(node), node.clone())).collect(),
            accounts: Mutex::new(Node::root(parent.state_root)),
            storage: Mutex::default(),
            codes: witness.codes.iter().map(|code| (keccak256(code), code.clone())).collect(),
            hashes,
        }
    }

    fn leaf(&self, address: Address) -> Result<Option<TrieAccount>, ReadError> {
        let found = self.accounts.lock().unwrap().get(path(address), &self.known);
        let found = found.map_err(|missing| ReadError::Store(format!("{address}: {missing}")))?;
        Ok(found.map(|rlp| TrieAccount::decode(&mut &rlp[..]).unwrap()))
    }

    /// Applies what the block changed; gives the new state root and the storage root of `passer`.
    fn apply(self, diff: &BlockDiff, passer: Address) -> (B256, B256) {
        let mut roots = BTreeMap::new();
        for account in &diff.accounts {
            assert!(!account.wiped);
            let before = self.leaf(account.address).unwrap();
            let root = before.map_or(EMPTY_ROOT_HASH, |leaf| leaf.storage_root);
            let mut trie = Node::root(root);
            for (slot, _, after) in &account.storage {
                let value = if after.is_zero() { Vec::new() } else { alloy_rlp::encode(after) };
                trie.set(path(slot.to_be_bytes::<32>()), value, &self.known).unwrap();
            }
            roots.insert(account.address, trie.hash());
        }
        let passer_root = match roots.get(&passer) {
            Some(root) => *root,
            None => self.leaf(passer).unwrap().unwrap().storage_root,
        };
        let mut accounts = self.accounts.into_inner().unwrap();
        for account in &diff.accounts {
            let leaf =
                account.after.map_or_else(Vec::new, |Account { nonce, balance, code_hash }| {
                    let root = roots[&account.address];
                    alloy_rlp::encode(TrieAccount::new(nonce, balance, root, code_hash))
                });
            accounts.set(path(account.address), leaf, &self.known).unwrap();
        }
        (accounts.hash(), passer_root)
    }
}

impl StateReader for Stateless {
    fn account(&self, address: Address) -> Result<Option<Account>, ReadError> {
        Ok(self.leaf(address)?.map(|leaf| Account {
            nonce: leaf.nonce,
            balance: leaf.balance,
            code_hash: leaf.code_hash,
        }))
    }

    fn storage(&self, address: Address, slot: U256) -> Result<U256, ReadError> {
        let root = self.leaf(address)?.map_or(EMPTY_ROOT_HASH, |leaf| leaf.storage_root);
        let mut tries = self.storage.lock().unwrap();
        let trie = tries.entry(address).or_insert_with(|| Node::root(root));
        let found = trie.get(path(slot.to_be_bytes::<32>()), &self.known);
        let found = found.map_err(|missing| ReadError::Store(format!("{slot}: {missing}")))?;
        Ok(found.map_or(U256::ZERO, |rlp| U256::decode(&mut &rlp[..]).unwrap()))
    }

    fn has_storage(&self, address: Address) -> Result<bool, ReadError> {
        Ok(self.leaf(address)?.is_some_and(|leaf| leaf.storage_root != EMPTY_ROOT_HASH))
    }

    fn code(&self, code_hash: B256) -> Result<Bytes, ReadError> {
        let code = self.codes.get(&code_hash).cloned();
        code.ok_or_else(|| ReadError::Store(format!("no code {code_hash}")))
    }

    fn block_hash(&self, number: u64) -> Result<B256, ReadError> {
        Ok(self.hashes.get(&number).copied().unwrap_or_default())
    }
}

/// Executes a block from its witness; every root of its header must come out.
async fn verify(node: &TestNode, number: u64) -> Witness {
    let block = node.chain.block(BlockRef::Number(number)).unwrap().unwrap();
    let hex = format!("{number:#x}");
    let json = result(node.address, "debug_executionWitness", json!([hex])).await;
    let by_hash = result(node.address, "debug_executionWitness", json!([block.hash()])).await;
    assert_eq!(json["keys"], by_hash["keys"]);
    let witness: Witness = serde_json::from_value(json).unwrap();
    let evm: &EvmConfig = node.chain.evm();
    let header = block.header();
    let state = std::sync::Arc::new(Stateless::new(&witness, &block));
    let mut executor = BlockExecutor::new(evm, evm.env(header), state.clone());
    executor.begin(header.parent_hash, header.parent_beacon_block_root).unwrap();
    for (tx, sender) in block.transactions_with_sender() {
        executor.execute(tx, sender, tx.encoded_2718().into()).unwrap();
    }
    let outcome = executor.finish(&[], Some(&[])).unwrap();
    assert_eq!(outcome.gas_used, header.gas_used);
    let touched: Vec<&Bytes> = witness.keys.iter().filter(|key| key.len() == 20).collect();
    for account in &outcome.diff.accounts {
        assert!(touched.iter().any(|key| ***key == account.address[..]), "{}", account.address);
    }
    let passer = alloy_primitives::address!("0x4200000000000000000000000000000000000016");
    let state = std::sync::Arc::into_inner(state).expect("the executor is gone");
    let (root, passer_root) = state.apply(&outcome.diff, passer);
    assert_eq!(root, header.state_root, "block {number}");
    assert_eq!(Some(passer_root), header.withdrawals_root, "block {number}");
    witness
}

/// Builds the blocks that are verified.
struct Builder {
    chain: Chain,
    nonce: u64,
}

impl Builder {
    fn tx(&mut self, to: TxKind, value: u64, input: Vec<u8>) -> Bytes {
        let tx = TxEip1559 {
            chain_id: 901,
            nonce: self.nonce,
            gas_limit: 1_000_000,
            max_fee_per_gas: 100_000_000_000,
            max_priority_fee_per_gas: 1_000_000,
            to,
            value: U256::from(value),
            input: input.into(),
            ..TxEip1559::default()
        };
        self.nonce += 1;
        let signature = signer(0).sign_hash_sync(&tx.signature_hash()).unwrap();
        tx.into_signed(signature).encoded_2718().into()
    }

    fn deploy(&mut self, code: &[u8]) -> (Bytes, Address) {
        let address = signer(0).address().create(self.nonce);
        let length = u8::try_from(code.len()).unwrap();
        let mut init = vec![0x60, length, 0x60, 10, 0x5f, 0x39, 0x60, length, 0x5f, 0xf3];
        init.extend_from_slice(code);
        (self.tx(TxKind::Create, 0, init), address)
    }

    fn write(&mut self, writer: Address, slot: u64, value: u64) -> Bytes {
        let input = [U256::from(slot).to_be_bytes::<32>(), U256::from(value).to_be_bytes::<32>()];
        self.tx(TxKind::Call(writer), 0, input.concat())
    }

    fn block(&self, transactions: Vec<Bytes>) -> u64 {
        let chain = &self.chain;
        let (_, genesis) = chain.header(BlockRef::Earliest).unwrap().unwrap();
        let mut source = DevAttributes::new(chain.spec().clone(), &genesis, DEV_SYSTEM);
        let (hash, head) = chain.header(BlockRef::Latest).unwrap().unwrap();
        let attributes = source.next(&head, head.timestamp + 1).unwrap();
        let payload = DerivedPayload { attributes, transactions };
        chain.derive(hash, payload.recover().unwrap()).unwrap().block.number
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn blocks_execute_from_their_witness_alone() {
    let directory = tempfile::tempdir().unwrap();
    let genesis = cairn_genesis::dev_genesis(&cairn_genesis::DevOptions::default()).unwrap();
    let chain = open_chain(&directory.path().join("state"), &genesis, Default::default());
    let node = TestNode::serve(chain.clone(), directory, config()).await;
    let mut builder = Builder { chain, nonce: 0 };
    let (deploy_writer, writer) = builder.deploy(&WRITER);
    let (deploy_hasher, hasher) = builder.deploy(&HASHER);
    builder.block(vec![deploy_writer, deploy_hasher]);
    // Storage that grows, then shrinks to one slot and to none: branches come and go.
    let writes = (0..40).map(|slot| builder.write(writer, slot, slot + 1)).collect();
    builder.block(writes);
    for kept in [20, 9, 4, 2, 1, 0] {
        let clears = (kept..40).map(|slot| builder.write(writer, slot, 0)).collect();
        builder.block(clears);
    }
    // One block that does both, and one that changes nothing.
    let mixed = (0..30).map(|n| builder.write(writer, n % 10, n % 3)).collect();
    builder.block(mixed);
    builder.block(Vec::new());
    let transfers = (0..20u8)
        .map(|n| builder.tx(TxKind::Call(Address::repeat_byte(0x90 + n)), 1, Vec::new()))
        .collect();
    builder.block(transfers);
    let asked = U256::from(3).to_be_bytes::<32>().to_vec();
    let ask = builder.tx(TxKind::Call(hasher), 0, asked);
    let last = builder.block(vec![ask]);
    for number in 1..=last {
        verify(&node, number).await;
    }
    let witness = verify(&node, last).await;
    assert_eq!(witness.headers.len() as u64, last - 3, "back to the block that was asked for");
    node.chain.flush().unwrap();
    for number in 1..=last {
        verify(&node, number).await;
    }
    for missing in [json!(["0x0"]), json!(["0xfffff"]), json!([B256::ZERO])] {
        let answer = call(node.address, "debug_executionWitness", missing.clone()).await;
        assert_eq!(answer["error"]["code"], -32000, "{missing}: {answer}");
    }
}
