//! Methods on a chain under OP rules that builds blocks.

use serde_json::{Value, json};

use crate::client::{error_code, result, until};
use crate::sending::{dev, signer, transfer};

#[tokio::test(flavor = "multi_thread")]
async fn every_block_opens_with_the_l1_attributes_in_the_shape_of_op_geth() {
    let node = dev().await;
    until("a block", || async { (node.chain.heads().unsafe_head.number > 0).then_some(()) }).await;
    let block = result(node.address, "eth_getBlockByNumber", json!(["0x1", true])).await;
    let deposit = &block["transactions"][0];
    assert_eq!(deposit["type"], "0x7e");
    assert_eq!(deposit["from"], "0xdeaddeaddeaddeaddeaddeaddeaddeaddead0001");
    assert_eq!(deposit["to"], "0x4200000000000000000000000000000000000015");
    for (field, value) in [
        ("v", "0x0"),
        ("r", "0x0"),
        ("s", "0x0"),
        ("gasPrice", "0x0"),
        ("depositReceiptVersion", "0x1"),
    ] {
        assert_eq!(deposit[field], value, "{field}");
    }
    assert!(deposit["sourceHash"].is_string() && deposit["nonce"].is_string());
    let receipts = result(node.address, "eth_getBlockReceipts", json!(["0x1"])).await;
    let receipt = &receipts[0];
    assert_eq!(receipt["depositNonce"], deposit["nonce"]);
    assert_eq!(receipt["depositReceiptVersion"], "0x1");
    assert_eq!(receipt["effectiveGasPrice"], "0x0");
    assert!(receipt.get("l1Fee").is_none(), "deposits pay none");
    let by_hash = result(node.address, "eth_getTransactionByHash", json!([deposit["hash"]])).await;
    assert_eq!(by_hash, *deposit);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_pending_block_holds_what_the_open_block_executed() {
    let node = dev().await;
    let raw = transfer(&signer(0), 0);
    let sent = result(node.address, "eth_sendRawTransactionSync", json!([raw])).await;
    // Open or sealed meanwhile, the transaction can be found by its hash.
    let found =
        result(node.address, "eth_getTransactionByHash", json!([sent["transactionHash"]])).await;
    assert_eq!(found["from"], json!(signer(0).address()));
    let pending = result(node.address, "eth_getBlockByNumber", json!(["pending", false])).await;
    assert!(pending["number"].is_string() && pending["transactions"].is_array());
}

#[tokio::test(flavor = "multi_thread")]
async fn names_of_blocks_agree_with_each_other() {
    let node = dev().await;
    let earliest = result(node.address, "eth_getBlockByNumber", json!(["earliest", false])).await;
    let by_hash =
        result(node.address, "eth_getBlockByHash", json!([earliest["hash"], false])).await;
    assert_eq!(earliest, by_hash);
    let header = result(node.address, "eth_getHeaderByNumber", json!(["0x0"])).await;
    assert_eq!(header["stateRoot"], earliest["stateRoot"]);
    for missing in [json!("0xffffff")] {
        for method in
            ["eth_getBlockReceipts", "eth_getHeaderByNumber", "eth_getUncleCountByBlockNumber"]
        {
            assert_eq!(
                result(node.address, method, json!([missing])).await,
                Value::Null,
                "{method}"
            );
        }
    }
    let unknown = "0x1111111111111111111111111111111111111111111111111111111111111111";
    let address = signer(0).address();
    assert_eq!(error_code(node.address, "eth_getBalance", json!([address, unknown])).await, -32000);
    assert_eq!(
        error_code(node.address, "eth_getBalance", json!([address, "0xffffff"])).await,
        -32000
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn fees_follow_the_rules_of_the_chain() {
    let node = dev().await;
    assert_eq!(result(node.address, "eth_maxPriorityFeePerGas", json!([])).await, "0xf4240");
    let history =
        result(node.address, "eth_feeHistory", json!(["0x400", "latest", [10.0, 50.0]])).await;
    let blocks = history["gasUsedRatio"].as_array().unwrap().len();
    assert_eq!(history["baseFeePerGas"].as_array().unwrap().len(), blocks + 1);
    assert_eq!(history["reward"].as_array().unwrap().len(), blocks);
    assert_eq!(history["baseFeePerBlobGas"][0], "0x1");
    assert_eq!(
        error_code(node.address, "eth_feeHistory", json!([1, "0xffffff", []])).await,
        -32000
    );
    assert_eq!(
        error_code(node.address, "eth_feeHistory", json!([1, "latest", [101]])).await,
        -32000
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_proof_proves_an_account_against_the_state_root() {
    let node = dev().await;
    let address = signer(0).address();
    let block = result(node.address, "eth_getBlockByNumber", json!(["earliest", false])).await;
    let proof = result(node.address, "eth_getProof", json!([address, ["0x0"], "earliest"])).await;
    let proof: alloy::rpc::types::EIP1186AccountProofResponse =
        serde_json::from_value(proof).expect("a proof");
    let nodes: Vec<_> = proof.account_proof.clone();
    let account = alloy_rlp::encode(alloy::consensus::TrieAccount {
        nonce: proof.nonce,
        balance: proof.balance,
        storage_root: proof.storage_hash,
        code_hash: proof.code_hash,
    });
    let root = serde_json::from_value(block["stateRoot"].clone()).expect("a root");
    let key = alloy_trie::Nibbles::unpack(alloy::primitives::keccak256(address));
    alloy_trie::proof::verify_proof(root, key, Some(account), &nodes).expect("it proves");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_node_says_of_itself() {
    let node = dev().await;
    assert_eq!(result(node.address, "net_version", json!([])).await, "901");
    assert_eq!(result(node.address, "net_listening", json!([])).await, true);
    assert_eq!(result(node.address, "eth_syncing", json!([])).await, false);
    assert_eq!(result(node.address, "eth_accounts", json!([])).await, json!([]));
    let version = result(node.address, "web3_clientVersion", json!([])).await;
    assert!(version.as_str().unwrap().starts_with("cairn/"), "{version}");
    assert_eq!(
        result(node.address, "web3_sha3", json!(["0x"])).await,
        "0xc5d2460186f7233c927e7db2dcc703c0e500b653ca82273b7bfad8045d85a470"
    );
    let modules = result(node.address, "rpc_modules", json!([])).await;
    assert_eq!(modules["eth"], "1.0");
    let config = result(node.address, "eth_config", json!([])).await;
    assert_eq!(config["current"]["chainId"], "0x385");
    assert_eq!(
        error_code(node.address, "eth_sign", json!([signer(0).address(), "0x"])).await,
        -32000
    );
}
