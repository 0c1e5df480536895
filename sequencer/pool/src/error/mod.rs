//! Why a transaction is not admitted. The texts are geth's, because clients match on them
//! (go-ethereum `core/error.go`, `core/txpool/errors.go`, `core/txpool/validation.go`).

mod kind;

use alloy_primitives::{Address, B256, U256};
use cairn_primitives::ReadError;

pub use kind::ErrorKind;

/// Why a transaction was refused. `Display` is the text that geth gives.
#[derive(Debug, Clone, thiserror::Error)]
pub enum PoolError {
    /// In the pool, or executed in the open block.
    #[error("already known")]
    AlreadyKnown,
    /// Type unknown, not active, or not for users: deposits always, blobs under OP rules.
    #[error("transaction type not supported")]
    TypeNotSupported {
        /// EIP-2718 type byte.
        ty: u8,
    },
    /// A typed transaction without payload.
    #[error("typed transaction too short")]
    TooShort,
    /// The bytes are no canonical transaction.
    #[error("rlp: {0}")]
    Decode(String),
    /// Encoding larger than the pool takes.
    #[error("oversized data: transaction size {size}, limit {limit}")]
    Oversized {
        /// Bytes of the EIP-2718 encoding.
        size: usize,
        /// Most bytes accepted.
        limit: usize,
    },
    /// Init code larger than EIP-3860 allows.
    #[error("max initcode size exceeded: code size {size}, limit {limit}")]
    InitCodeTooLarge {
        /// Bytes of init code.
        size: usize,
        /// Most bytes allowed.
        limit: usize,
    },
    /// Gas limit above the cap of EIP-7825.
    #[error("transaction gas limit too high (cap: {cap}, tx: {gas_limit})")]
    GasLimitTooHigh {
        /// The cap.
        cap: u64,
        /// Gas limit of the transaction.
        gas_limit: u64,
    },
    /// Gas limit above what a block can give one transaction.
    #[error("exceeds block gas limit")]
    ExceedsBlockGasLimit,
    /// Tip above fee cap (EIP-1559).
    #[error("max priority fee per gas higher than max fee per gas")]
    TipAboveFeeCap,
    /// The signature recovers to no address, or its s value is high (EIP-2).
    #[error("invalid sender: invalid transaction v, r, s values")]
    InvalidSender,
    /// Signed for another chain.
    #[error("invalid sender: invalid chain id for signer: have {have} want {want}")]
    InvalidChainId {
        /// Chain id of the transaction.
        have: u64,
        /// Chain id of this chain.
        want: u64,
    },
    /// Gas limit times fee cap above what this node lets a transaction pay. Amounts in wei.
    #[error(
        "tx fee ({:.2} ether) exceeds the configured cap ({:.2} ether)",
        ether(*.fee),
        ether(*.cap)
    )]
    FeeAboveCap {
        /// Most that the transaction pays for gas.
        fee: U256,
        /// The cap.
        cap: U256,
    },
    /// A legacy transaction without EIP-155 chain id, where the node refuses them.
    #[error("only replay-protected (EIP-155) transactions allowed over RPC")]
    Unprotected,
    /// Nonce of 2^64-1 (EIP-2681).
    #[error("nonce has max value")]
    NonceMax,
    /// Gas limit below the intrinsic gas.
    #[error("intrinsic gas too low: gas {gas_limit}, minimum needed {needed}")]
    IntrinsicGas {
        /// Gas limit of the transaction.
        gas_limit: u64,
        /// Intrinsic gas.
        needed: u64,
    },
    /// Gas limit below the calldata floor of EIP-7623.
    #[error("insufficient gas for floor data gas cost: gas {gas_limit}, minimum needed {needed}")]
    FloorDataGas {
        /// Gas limit of the transaction.
        gas_limit: u64,
        /// The floor.
        needed: u64,
    },
    /// Tip cap below what this node demands, in wei.
    #[error("transaction gas price below minimum: gas tip cap {tip_cap}, minimum needed {minimum}")]
    TipTooLow {
        /// Tip cap of the transaction, wei per gas.
        tip_cap: u128,
        /// Minimum, wei per gas.
        minimum: u128,
    },
    /// Blob fee cap below the protocol's minimum, in wei.
    #[error(
        "transaction gas price below minimum: blob fee cap {fee_cap}, minimum needed {minimum}"
    )]
    BlobFeeTooLow {
        /// Blob fee cap, wei per blob gas.
        fee_cap: u128,
        /// Minimum, wei per blob gas.
        minimum: u128,
    },
    /// A blob transaction without blobs.
    #[error("blobless blob transaction")]
    NoBlobs,
    /// More blobs than one transaction may carry.
    #[error("transaction blob limit exceeded: blob count {count}, limit {limit}")]
    TooManyBlobs {
        /// Blobs of the transaction.
        count: usize,
        /// Most blobs allowed.
        limit: usize,
    },
    /// A set-code transaction without authorization (EIP-7702).
    #[error("set code tx must have at least one authorization tuple")]
    NoAuthorization,
    /// Nonce used up: the account is at `next`.
    #[error("nonce too low: next nonce {next}, tx nonce {nonce}")]
    NonceTooLow {
        /// Next nonce of the account.
        next: u64,
        /// Nonce of the transaction.
        nonce: u64,
    },
    /// The sender has code that is no delegation (EIP-3607).
    #[error("sender not an eoa: address {address}, codehash: {code_hash}")]
    SenderNotEoa {
        /// The sender.
        address: Address,
        /// Hash of its code.
        code_hash: B256,
    },
    /// The balance does not cover this transaction alone. Amounts in wei.
    #[error(
        "insufficient funds for gas * price + value: balance {balance}, tx cost {cost}, overshot {}",
        .cost.saturating_sub(*.balance)
    )]
    InsufficientFunds {
        /// Balance of the sender.
        balance: U256,
        /// Value, gas at the fee cap, blob gas at its cap and the rollup's data fee.
        cost: U256,
    },
    /// The balance covers this transaction, but not together with those of the same sender that
    /// execute before it. Amounts in wei.
    #[error(
        "insufficient funds for gas * price + value: balance {balance}, queued cost {queued}, \
         tx cost {cost}, overshot {}",
        .queued.saturating_add(*.cost).saturating_sub(*.balance)
    )]
    Overdraft {
        /// Balance of the sender.
        balance: U256,
        /// Cost of the sender's executable transactions.
        queued: U256,
        /// Cost of this transaction, as in [`Self::InsufficientFunds`].
        cost: U256,
    },
    /// The balance does not cover what the sender's executable transactions would cost with this
    /// one in the place of another. Amounts in wei.
    #[error(
        "insufficient funds for gas * price + value: balance {balance}, queued cost {queued}, \
         tx bumped {bump}, overshot {}",
        .queued.saturating_add(*.bump).saturating_sub(*.balance)
    )]
    ReplacementOverdraft {
        /// Balance of the sender.
        balance: U256,
        /// Cost of the sender's executable transactions, the replaced one included.
        queued: U256,
        /// What this transaction costs more than the replaced one.
        bump: U256,
    },
    /// Same sender and nonce without the fee bump.
    #[error("replacement transaction underpriced")]
    ReplaceUnderpriced,
    /// The pool is full of transactions that pay more.
    #[error("transaction underpriced")]
    Underpriced,
    /// The pool is full and nothing in it may be evicted.
    #[error("txpool is full")]
    PoolFull,
    /// The pool is full and a transaction that cannot execute yet would evict one that can.
    #[error("future transaction tries to replace pending")]
    FutureReplacesPending,
    /// The sender has as many transactions here as one sender may have.
    #[error("account limit exceeded: pooled {pooled} txs")]
    AccountLimit {
        /// Transactions of the sender.
        pooled: usize,
    },
    /// A delegated account has a transaction in flight already (EIP-7702).
    #[error("in-flight transaction limit reached for delegated accounts")]
    InFlightLimit,
    /// A delegated account leaves a nonce gap.
    #[error("gapped-nonce tx from delegated accounts")]
    GappedFromDelegated,
    /// An authority of this set-code transaction has several transactions here.
    #[error("authority already reserved")]
    AuthorityReserved,
    /// The queue before the pool is full, or the journal lags: try again in a moment.
    #[error("txpool is full: server busy, try again")]
    Busy,
    /// The node is stopping.
    #[error("transaction pool stopped")]
    Stopped,
    /// The pool's own code failed on this transaction or on one that was handled together with it.
    /// Whether it is pooled is not known; submitting it again does no harm.
    #[error("internal error: transaction processing crashed")]
    Crashed,
    /// The state of the sender could not be read.
    #[error("internal error: {0}")]
    State(#[from] ReadError),
    /// Sender of an insertion is not loaded: the caller skipped [`crate::Pool::needs_view`].
    #[error("internal error: account of sender {address} not loaded")]
    SenderNotLoaded {
        /// The sender.
        address: Address,
    },
}

/// Ether, as near as a message needs.
fn ether(wei: U256) -> f64 {
    f64::from(wei) / 1e18
}
