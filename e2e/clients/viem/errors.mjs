// Transactions that a node must refuse: geth's code and message, and viem's class for each.
import assert from 'node:assert/strict';

import {
  BaseError,
  FeeCapTooLowError,
  InsufficientFundsError,
  IntrinsicGasTooLowError,
  InvalidInputRpcError,
  MethodNotFoundRpcError,
  NonceTooLowError,
  TipAboveFeeCapError,
  concatHex,
  keccak256,
  parseEther,
  parseGwei,
  parseSignature,
  toBytes,
  toHex,
  toRlp,
  trim,
} from 'viem';
import { generatePrivateKey, privateKeyToAccount } from 'viem/accounts';

import { IS_ANVIL, account, eventually, rpc } from '../harness/node.mjs';
import { scenario } from '../harness/scenario.mjs';
import { chain, client, mined, wallet } from '../harness/viem.mjs';

const sender = wallet(privateKeyToAccount(generatePrivateKey()));
const to = account(9).address;
const FEES = { maxFeePerGas: parseGwei('20'), maxPriorityFeePerGas: parseGwei('1') };

/** A complete transaction, so that viem asks the node nothing before it sends. */
const complete = async (fields = {}) => ({
  type: 'eip1559',
  to,
  value: 1n,
  gas: 21_000n,
  ...FEES,
  nonce: await client.getTransactionCount({ address: sender.account.address, blockTag: 'pending' }),
  ...fields,
});

/** The error that sending gives, checked to hold geth's message and viem's class for it. */
async function refused(from, request, message, viemClass, { byNode = true } = {}) {
  const error = await from.sendTransaction(request).then(
    () => assert.fail('the node took it'),
    (thrown) => thrown,
  );
  assert.ok(error instanceof BaseError, error);
  if (viemClass)
    assert.ok(
      error.walk((cause) => cause instanceof viemClass),
      error,
    );
  if (byNode && !IS_ANVIL) {
    assert.match(error.details, message);
    const { code } = error.walk((cause) => typeof cause.code === 'number');
    assert.equal(code, InvalidInputRpcError.code);
  }
}

async function accounting(step) {
  await step('nonce too low', async () => {
    const first = await complete();
    await mined(await sender.sendTransaction(first));
    const message = /^nonce too low: next nonce 1, tx nonce 0$/;
    const other = await complete({ nonce: 0, value: 2n });
    await refused(sender, other, message, NonceTooLowError);
    const raw = await sender.account.signTransaction({ ...first, chainId: chain.id });
    await eventually('the mined transaction itself is refused for its nonce', async () => {
      const { error } = await rpc('eth_sendRawTransaction', [raw]);
      return /^nonce too low/.test(error.message);
    });
  });
  await step('insufficient funds for value and for gas', async () => {
    const message =
      /^insufficient funds for gas \* price \+ value: balance \d+, tx cost \d+, overshot \d+$/;
    await refused(
      sender,
      await complete({ value: parseEther('100') }),
      message,
      InsufficientFundsError,
    );
    const empty = wallet(privateKeyToAccount(generatePrivateKey()));
    await refused(empty, await complete({ nonce: 0, value: 0n }), message, InsufficientFundsError);
  });
  await step('intrinsic gas too low', async () => {
    const message = /^intrinsic gas too low: gas 20999, minimum needed 21000$/;
    await refused(sender, await complete({ gas: 20_999n }), message, IntrinsicGasTooLowError);
  });
  await step('a tip above the fee cap', async () => {
    const request = await complete({ maxFeePerGas: 5n, maxPriorityFeePerGas: 6n });
    await refused(sender, request, /./, TipAboveFeeCapError, { byNode: false });
    const { error } = await rpc('eth_sendRawTransaction', [await signUnchecked(request)]);
    if (!IS_ANVIL)
      assert.match(error.message, /^max priority fee per gas higher than max fee per gas/);
  });
  // anvil looks at neither of these.
  if (IS_ANVIL) return;
  await step('below the floor of EIP-7623', async () => {
    const data = `0x${'ff'.repeat(1000)}`;
    // 21,000 + 16 * 1,000 would do before Prague; the floor is 21,000 + 40 * 1,000.
    const message = /^insufficient gas for floor data gas cost: gas 40000, minimum needed 61000$/;
    await refused(sender, await complete({ data, gas: 40_000n }), message);
  });
  await step('eth_call with a fee cap below the base fee', async () => {
    const { baseFeePerGas } = await client.getBlock();
    assert.ok(baseFeePerGas > 1n);
    const call = {
      account: account(0),
      to,
      gas: 21_000n,
      maxFeePerGas: 1n,
      maxPriorityFeePerGas: 0n,
    };
    await assert.rejects(
      client.call(call),
      (error) => error.walk((cause) => cause instanceof FeeCapTooLowError) !== null,
    );
  });
}

/** An EIP-1559 transaction signed without viem's checks. */
async function signUnchecked({ nonce, maxPriorityFeePerGas, maxFeePerGas, gas, value }) {
  const integer = (number) => (BigInt(number) === 0n ? '0x' : toHex(toBytes(BigInt(number))));
  const fields = [chain.id, nonce, maxPriorityFeePerGas, maxFeePerGas, gas].map(integer);
  fields.push(to, integer(value), '0x', []);
  const hash = keccak256(concatHex(['0x02', toRlp(fields)]));
  const { r, s, yParity } = parseSignature(await sender.account.sign({ hash }));
  return concatHex(['0x02', toRlp([...fields, integer(yParity), trim(r), trim(s)])]);
}

async function pool(step) {
  await step('replacement underpriced, then replaced', async () => {
    // A nonce gap keeps both in the pool.
    const next = (await complete()).nonce;
    const queued = await complete({ nonce: next + 1 });
    await sender.sendTransaction(queued);
    await refused(sender, { ...queued, value: 2n }, /^replacement transaction underpriced$/);
    const tenPercent = (fee) => (fee * 110n) / 100n;
    const replacement = await sender.sendTransaction({
      ...queued,
      value: 3n,
      maxFeePerGas: tenPercent(FEES.maxFeePerGas),
      maxPriorityFeePerGas: tenPercent(FEES.maxPriorityFeePerGas),
    });
    await mined(await sender.sendTransaction({ ...queued, nonce: next }));
    // anvil answers with a hash and mines the first one all the same.
    if (IS_ANVIL) return;
    await mined(replacement);
    assert.equal((await client.getTransaction({ hash: replacement })).value, 3n);
  });
  await step('already known', async () => {
    const request = await complete({ chainId: chain.id });
    const raw = await sender.account.signTransaction({ ...request, nonce: request.nonce + 1 });
    const { result } = await rpc('eth_sendRawTransaction', [raw]);
    assert.match(result, /^0x[0-9a-f]{64}$/);
    const { error } = await rpc('eth_sendRawTransaction', [raw]);
    assert.equal(error.code, IS_ANVIL ? error.code : -32000);
    assert.match(error.message, IS_ANVIL ? /already imported/ : /^already known$/);
    await sender.sendTransaction(request);
    await mined(result);
  });
  await step('another chain id', async () => {
    const raw = await sender.account.signTransaction(await complete({ chainId: chain.id + 1 }));
    const { error } = await rpc('eth_sendRawTransaction', [raw]);
    assert.match(
      error.message,
      IS_ANVIL ? /invalid chain id/ : /invalid chain id for signer: have \d+ want \d+/,
    );
  });
  await step('txpool_status and txpool_content show a queued transaction', async () => {
    const request = await complete();
    const hash = await sender.sendTransaction({ ...request, nonce: request.nonce + 2 });
    const { result } = await rpc('txpool_content');
    const queue =
      result.queued[sender.account.address] ?? result.queued[sender.account.address.toLowerCase()];
    assert.equal(queue[request.nonce + 2].hash, hash);
    assert.ok(Number((await rpc('txpool_status')).result.queued) >= 1);
    assert.equal((await client.getTransaction({ hash })).blockNumber, null);
    await sender.sendTransaction(request);
    await sender.sendTransaction({ ...request, nonce: request.nonce + 1 });
    await mined(hash);
  });
}

async function protocol(step) {
  await step('an unknown method', async () => {
    await assert.rejects(
      client.request({ method: 'eth_noSuchMethod' }),
      (error) =>
        error.walk((cause) => cause instanceof MethodNotFoundRpcError || cause.code === -32601) !==
        null,
    );
    const { error } = await rpc('eth_noSuchMethod');
    assert.equal(error.code, -32601);
    if (!IS_ANVIL)
      assert.equal(error.message, 'the method eth_noSuchMethod does not exist/is not available');
  });
  await step('wrong parameters', async () => {
    const { error } = await rpc('eth_getBalance', ['0x1234', 'latest']);
    assert.equal(error.code, -32602);
    const missing = await rpc('eth_getBalance', []);
    assert.equal(missing.error.code, -32602);
    if (!IS_ANVIL) assert.equal(missing.error.message, 'missing value for required argument 0');
  });
  await step('undecodable transactions', async () => {
    for (const raw of ['0x', '0x02', '0xdeadbeef', `0x02${'c0'.repeat(40)}`]) {
      const { error } = await rpc('eth_sendRawTransaction', [raw]);
      assert.ok(error && (IS_ANVIL || error.code === -32000), `${raw}: ${JSON.stringify(error)}`);
    }
  });
}

await scenario('viem errors', async (step) => {
  await mined(
    await wallet(9).sendTransaction({ to: sender.account.address, value: parseEther('10') }),
  );
  await accounting(step);
  await pool(step);
  await protocol(step);
  await step('the node still seals', async () => {
    const head = await client.getBlockNumber();
    await eventually('a new block', async () => (await client.getBlockNumber()) > head);
  });
});
