// ethers: fee data, each transaction type, EIP-7702, batches, errors, traces through `send`.
import assert from 'node:assert/strict';

import {
  Interface,
  JsonRpcProvider,
  Transaction,
  Wallet,
  concat,
  getAddress,
  isError,
  parseEther,
  parseUnits,
} from 'ethers';

import { artifact } from '../harness/artifacts.mjs';
import { countingSigner, mined, provider, signer } from '../harness/ethers.mjs';
import { feePaid } from '../harness/fees.mjs';
import { IS_ANVIL, RPC_URL } from '../harness/node.mjs';
import { scenario } from '../harness/scenario.mjs';
import { deploy, wallet } from '../harness/viem.mjs';

const sender = signer(6);
const stranger = () => Wallet.createRandom().address;
const thrownBy = (promise) =>
  promise.then(
    () => assert.fail('nothing was thrown'),
    (error) => error,
  );

async function fees(step) {
  await step('getFeeData', async () => {
    const { gasPrice, maxFeePerGas, maxPriorityFeePerGas } = await provider.getFeeData();
    const { baseFeePerGas } = await provider.getBlock('latest');
    assert.ok(gasPrice >= baseFeePerGas);
    assert.equal(maxFeePerGas, baseFeePerGas * 2n + maxPriorityFeePerGas);
  });
  for (const type of [0, 1, 2]) {
    await step(`a type ${type} transaction`, async () => {
      const to = stranger();
      const before = await provider.getBalance(sender.address);
      const receipt = await mined(
        await sender.sendTransaction({ type, to, value: parseEther('0.5') }),
      );
      assert.equal(receipt.type, type);
      assert.equal(receipt.gasUsed, 21_000n);
      assert.equal(await provider.getBalance(to), parseEther('0.5'));
      const after = await provider.getBalance(sender.address);
      const raw = await provider.send('eth_getTransactionReceipt', [receipt.hash]);
      assert.equal(before - after, parseEther('0.5') + feePaid(raw));
      const transaction = await provider.getTransaction(receipt.hash);
      assert.equal(transaction.type, type);
      assert.equal(transaction.from, sender.address);
      assert.equal(transaction.isMined(), true);
    });
  }
}

async function delegation(step) {
  const code = artifact('BatchAccount');
  const implementation = getAddress(await deploy(wallet(6), code));
  const { chainId } = await provider.getNetwork();
  await step('a type-4 transaction delegates its sender', async () => {
    const eoa = Wallet.createRandom(provider);
    await mined(await sender.sendTransaction({ to: eoa.address, value: parseEther('1') }));
    const authorization = await eoa.authorize({ address: implementation, nonce: 1, chainId });
    const [first, second] = [stranger(), stranger()];
    const data = new Interface(code.abi).encodeFunctionData('execute', [
      [
        [first, 10n, '0x'],
        [second, 20n, '0x'],
      ],
    ]);
    const receipt = await mined(
      await eoa.sendTransaction({
        type: 4,
        to: eoa.address,
        data,
        authorizationList: [authorization],
      }),
    );
    assert.equal(receipt.type, 4);
    assert.equal(await provider.getCode(eoa.address), concat(['0xef0100', implementation]));
    assert.equal(await provider.getBalance(first), 10n);
    assert.equal(await provider.getBalance(second), 20n);
    assert.equal(await provider.getTransactionCount(eoa.address), 2);
    const transaction = await provider.getTransaction(receipt.hash);
    assert.equal(transaction.authorizationList.length, 1);
    assert.equal(transaction.authorizationList[0].address, implementation);
    const error = await thrownBy(provider.call({ from: sender.address, to: eoa.address, data }));
    assert.equal(new Interface(code.abi).parseError(error.data).name, 'NotSelf');
  });
}

async function batches(step) {
  await step('one JSON-RPC batch of many calls', async () => {
    const batching = new JsonRpcProvider(RPC_URL, undefined, {
      batchMaxCount: 50,
      batchStallTime: 20,
      cacheTimeout: -1,
    });
    const { number } = await batching.getBlock('latest');
    const answers = await Promise.all([
      ...Array.from({ length: 40 }, (_, index) =>
        batching.getBalance(signer(index % 10).address, number),
      ),
      batching.getBlock(number),
      thrownBy(batching.send('eth_noSuchMethod', [])),
    ]);
    for (const balance of answers.slice(0, 40)) assert.ok(balance > 0n);
    assert.deepEqual(answers.slice(0, 10), answers.slice(10, 20));
    assert.equal(answers[40].number, number);
    // geth's words for an unknown method are what ethers recognises it by.
    const unknown = answers[41];
    assert.equal(isError(unknown, 'UNSUPPORTED_OPERATION'), !IS_ANVIL, unknown);
    assert.equal((unknown.info ?? unknown).error.code, -32601);
    batching.destroy();
  });
  await step('twenty transactions without waiting are mined in nonce order', async () => {
    const counting = countingSigner(7);
    const responses = [];
    for (let index = 0; index < 20; index += 1) {
      responses.push(
        await counting.sendTransaction({ to: stranger(), value: 1n, gasLimit: 21_000n }),
      );
    }
    const receipts = await Promise.all(responses.map(mined));
    const places = receipts.map(({ blockNumber, index }) => blockNumber * 100_000 + index);
    assert.deepEqual(
      places,
      [...places].sort((left, right) => left - right),
    );
    assert.equal(new Set(places).size, 20);
  });
}

async function errors(step) {
  await step('nonce, funds and replacement errors have their codes', async () => {
    const poor = Wallet.createRandom(provider);
    const fields = {
      to: stranger(),
      value: 1n,
      gasLimit: 21_000n,
      maxFeePerGas: parseUnits('30', 'gwei'),
      maxPriorityFeePerGas: parseUnits('1', 'gwei'),
    };
    const funds = await thrownBy(poor.sendTransaction({ ...fields, nonce: 0 }));
    assert.ok(isError(funds, 'INSUFFICIENT_FUNDS'), funds);
    const nonce = await thrownBy(sender.sendTransaction({ ...fields, nonce: 0 }));
    assert.ok(isError(nonce, 'NONCE_EXPIRED'), nonce);
    const next = await sender.getNonce('pending');
    const queued = await sender.sendTransaction({ ...fields, nonce: next + 1 });
    const replacement = await thrownBy(
      sender.sendTransaction({ ...fields, value: 2n, nonce: next + 1 }),
    );
    assert.ok(isError(replacement, 'REPLACEMENT_UNDERPRICED'), replacement);
    await mined(await sender.sendTransaction({ ...fields, nonce: next }));
    await mined(queued);
  });
}

async function traces(step) {
  await step('debug_traceTransaction through provider.send', async () => {
    const to = stranger();
    const { hash } = await mined(
      await sender.sendTransaction({ to, value: 77n, gasLimit: 30_000n }),
    );
    const call = await provider.send('debug_traceTransaction', [hash, { tracer: 'callTracer' }]);
    assert.equal(call.type, 'CALL');
    assert.equal(getAddress(call.from), sender.address);
    assert.equal(getAddress(call.to), to);
    assert.equal(BigInt(call.value), 77n);
    assert.equal(call.gasUsed, '0x5208');
    if (!IS_ANVIL) assert.equal(call.gas, '0x7530');
    const { pre, post } = await provider.send('debug_traceTransaction', [
      hash,
      { tracer: 'prestateTracer', tracerConfig: { diffMode: true } },
    ]);
    assert.equal(BigInt(post[to.toLowerCase()].balance), 77n);
    assert.equal(
      post[sender.address.toLowerCase()].nonce,
      pre[sender.address.toLowerCase()].nonce + 1,
    );
  });
  await step('raw block, header, receipts and transaction', async () => {
    const receipt = await mined(await sender.sendTransaction({ to: stranger(), value: 1n }));
    const tag = `0x${receipt.blockNumber.toString(16)}`;
    const raw = await provider.send('debug_getRawTransaction', [receipt.hash]);
    assert.equal(Transaction.from(raw).hash, receipt.hash);
    assert.equal(Transaction.from(raw).from, sender.address);
    const receipts = await provider.send('eth_getBlockReceipts', [tag]);
    assert.ok(receipts.some(({ transactionHash }) => transactionHash === receipt.hash));
    if (!IS_ANVIL) {
      for (const method of ['debug_getRawBlock', 'debug_getRawHeader']) {
        assert.match(await provider.send(method, [tag]), /^0xf9/);
      }
      const rawReceipts = await provider.send('debug_getRawReceipts', [tag]);
      assert.equal(rawReceipts.length, receipts.length);
    }
  });
}

await scenario('ethers transactions', async (step) => {
  await fees(step);
  await delegation(step);
  await batches(step);
  await errors(step);
  await traces(step);
});
