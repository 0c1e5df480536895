// viem: logs by every kind of query, polled filters, and WebSocket subscriptions.
import assert from 'node:assert/strict';

import { parseAbiItem, parseEventLogs } from 'viem';

import { artifact } from '../harness/artifacts.mjs';
import { IS_ANVIL, account, eventually, rpc } from '../harness/node.mjs';
import { scenario } from '../harness/scenario.mjs';
import { client, deploy, mined, openSocket, wallet } from '../harness/viem.mjs';

const owner = wallet(5);
const code = artifact('Token');
const Transfer = parseAbiItem(
  'event Transfer(address indexed from, address indexed to, uint256 value)',
);
const ZERO = '0x0000000000000000000000000000000000000000';
const alice = account(6).address;
const bob = account(7).address;

const token = await deploy(owner, code, ['Events', 'EVT', 10n ** 24n, owner.account.address]);
const mint = async (to, value) => {
  const args = [to, value];
  return owner.writeContract({ address: token, abi: code.abi, functionName: 'mint', args });
};

async function queries(step) {
  const toAlice = await mined(await mint(alice, 11n));
  const toBob = await mined(await mint(bob, 22n));
  await step('getLogs by indexed argument, block range and block hash', async () => {
    const range = { fromBlock: toAlice.blockNumber, toBlock: toBob.blockNumber };
    const all = await client.getLogs({ address: token, event: Transfer, ...range });
    assert.deepEqual(
      all.map(({ args }) => args),
      [
        { from: ZERO, to: alice, value: 11n },
        { from: ZERO, to: bob, value: 22n },
      ],
    );
    const one = await client.getLogs({
      address: token,
      event: Transfer,
      args: { to: bob },
      ...range,
    });
    assert.deepEqual(
      one.map(({ transactionHash }) => transactionHash),
      [toBob.transactionHash],
    );
    const either = await client.getLogs({ event: Transfer, args: { to: [alice, bob] }, ...range });
    assert.equal(either.length, 2);
    const { blockHash } = toAlice;
    const inBlock = await client.getLogs({ address: token, event: Transfer, blockHash });
    assert.equal(inBlock[0].logIndex, toAlice.logs[0].logIndex);
    assert.equal(inBlock[0].blockNumber, toAlice.blockNumber);
  });
  await step('the logs of a receipt decode to the same', () => {
    const [log] = parseEventLogs({ abi: code.abi, logs: toAlice.logs, eventName: 'Transfer' });
    assert.deepEqual(log.args, { from: ZERO, to: alice, value: 11n });
  });
  // anvil answers these with an empty list.
  if (!IS_ANVIL) {
    await step(
      'a range upside down, beyond the head, or of an unknown block is refused',
      async () => {
        const refusal = async (query) => (await rpc('eth_getLogs', [query])).error;
        assert.deepEqual(await refusal({ fromBlock: '0x1', toBlock: '0x0' }), {
          code: -32602,
          message: 'invalid block range params',
        });
        assert.deepEqual(await refusal({ fromBlock: '0x0', toBlock: '0xffffffff' }), {
          code: -32602,
          message: 'block range extends beyond current head block',
        });
        const { code, message } = await refusal({ blockHash: `0x${'1'.repeat(64)}` });
        assert.deepEqual({ code, message }, { code: -32000, message: 'unknown block' });
      },
    );
  }
}

async function filters(step) {
  await step('an event filter gives each log once', async () => {
    const filter = await client.createEventFilter({
      address: token,
      event: Transfer,
      args: { to: bob },
    });
    assert.deepEqual(await client.getFilterChanges({ filter }), []);
    await mined(await mint(bob, 33n));
    await mined(await mint(alice, 34n));
    const changes = await eventually('a filter change', async () => {
      const logs = await client.getFilterChanges({ filter });
      return logs.length > 0 && logs;
    });
    assert.deepEqual(
      changes.map(({ args }) => args.value),
      [33n],
    );
    assert.deepEqual(await client.getFilterChanges({ filter }), []);
    assert.equal(await client.uninstallFilter({ filter }), true);
    assert.equal(await client.uninstallFilter({ filter }), false);
    await assert.rejects(client.getFilterChanges({ filter }), /filter not found/i);
  });
  await step('getFilterLogs gives the whole range of a filter', async () => {
    const fromBlock = (await client.getBlockNumber()) - 1n;
    const last = await mined(await mint(bob, 36n));
    const filter = await client.createEventFilter({
      address: token,
      event: Transfer,
      fromBlock,
      toBlock: last.blockNumber,
    });
    const logs = await client.getFilterLogs({ filter });
    assert.deepEqual(
      logs,
      await client.getLogs({
        address: token,
        event: Transfer,
        fromBlock,
        toBlock: last.blockNumber,
      }),
    );
    assert.equal(logs.at(-1).args.value, 36n);
    assert.equal(await client.uninstallFilter({ filter }), true);
  });
  await step('block and pending-transaction filters', async () => {
    const blocks = await client.createBlockFilter();
    const pending = await client.createPendingTransactionFilter();
    const hash = await mint(alice, 35n);
    const receipt = await mined(hash);
    const seen = await eventually('the hash', async () => {
      const hashes = await client.getFilterChanges({ filter: pending });
      return hashes.includes(hash) && hashes;
    });
    assert.ok(seen.includes(hash));
    const headers = [];
    await eventually('the block', async () => {
      headers.push(...(await client.getFilterChanges({ filter: blocks })));
      return headers.includes(receipt.blockHash);
    });
  });
}

/** Collects what `watch` reports until `enough`, then stops watching. */
async function collect(what, watch, trigger, enough) {
  const seen = [];
  const errors = [];
  const stop = watch(
    (items) => seen.push(...[items].flat()),
    (error) => errors.push(error),
  );
  try {
    const context = await trigger();
    await eventually(what, () => errors.length > 0 || enough(seen, context));
    assert.deepEqual(errors, []);
    return { seen, context };
  } finally {
    stop();
  }
}

async function subscriptions(step) {
  const socket = openSocket();
  await step('watchEvent: logs of an address and topic', async () => {
    const { seen, context } = await collect(
      'the log',
      (onLogs, onError) =>
        socket.watchEvent({ address: token, event: Transfer, args: { to: bob }, onLogs, onError }),
      async () => {
        await socket.getChainId();
        await mined(await mint(alice, 44n));
        return mined(await mint(bob, 55n));
      },
      (logs) => logs.length > 0,
    );
    assert.deepEqual(
      seen.map(({ args }) => args),
      [{ from: ZERO, to: bob, value: 55n }],
    );
    assert.equal(seen[0].blockHash, context.blockHash);
    assert.equal(seen[0].removed, false);
  });
  await step('watchBlocks: newHeads without a gap', async () => {
    const { seen } = await collect(
      'three heads',
      (onBlock, onError) => socket.watchBlocks({ onBlock, onError }),
      () => socket.getChainId(),
      (blocks) => blocks.length >= 3,
    );
    for (const [index, head] of seen.entries()) {
      const block = await client.getBlock({ blockHash: head.hash });
      assert.equal(block.stateRoot, head.stateRoot);
      assert.equal(block.baseFeePerGas, head.baseFeePerGas);
      if (index > 0) assert.equal(head.parentHash, seen[index - 1].hash);
    }
  });
  await step('watchPendingTransactions: the hash before it is mined', async () => {
    const { seen, context } = await collect(
      'the hash',
      (onTransactions, onError) => socket.watchPendingTransactions({ onTransactions, onError }),
      async () => {
        await socket.getChainId();
        return mint(alice, 66n);
      },
      (hashes, hash) => hashes.includes(hash),
    );
    assert.equal(seen.filter((hash) => hash === context).length, 1);
    await mined(context);
  });
  await step('an unknown subscription is refused', async () => {
    await assert.rejects(
      socket.request({ method: 'eth_subscribe', params: ['newColours'] }),
      ({ code }) => [-32602, -32601, -32600].includes(code),
    );
  });
}

await scenario('viem events', async (step) => {
  await queries(step);
  await filters(step);
  await subscriptions(step);
});
