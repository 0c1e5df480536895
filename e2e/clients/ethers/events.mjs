// ethers: event queries over HTTP and listeners over WebSocket.
import assert from 'node:assert/strict';

import { Contract, ContractFactory, ZeroAddress, id, zeroPadValue } from 'ethers';

import { artifact } from '../harness/artifacts.mjs';
import { mined, openSocket, provider, signer } from '../harness/ethers.mjs';
import { eventually } from '../harness/node.mjs';
import { scenario } from '../harness/scenario.mjs';

const owner = signer(2);
const alice = signer(3).address;
const bob = signer(4).address;

/** Runs `trigger` while `listener` is on; gives what it was called with, once `enough`. */
async function heard(emitter, event, trigger, enough) {
  const calls = [];
  const listener = (...args) => calls.push(args);
  await emitter.on(event, listener);
  // The subscription is open once a later request of the same socket is answered.
  await (emitter.runner?.provider ?? emitter).send('eth_chainId', []);
  try {
    const context = await trigger();
    await eventually(`${event}`, () => enough(calls, context));
    return { calls, context };
  } finally {
    await emitter.off(event, listener);
  }
}

async function queries(step, token) {
  const toAlice = await mined(await token.mint(alice, 1n));
  const toBob = await mined(await token.mint(bob, 2n));
  await step('queryFilter by indexed argument and range', async () => {
    const all = await token.queryFilter('Transfer', toAlice.blockNumber, toBob.blockNumber);
    assert.deepEqual(
      all.map(({ args }) => [...args]),
      [
        [ZeroAddress, alice, 1n],
        [ZeroAddress, bob, 2n],
      ],
    );
    const one = await token.queryFilter(token.filters.Transfer(null, bob), 0);
    assert.deepEqual(
      one.map(({ transactionHash }) => transactionHash),
      [toBob.hash],
    );
    assert.equal(one[0].blockHash, toBob.blockHash);
  });
  await step('getLogs by topic and block hash', async () => {
    const topics = [id('Transfer(address,address,uint256)'), null, zeroPadValue(alice, 32)];
    const logs = await provider.getLogs({
      blockHash: toAlice.blockHash,
      address: token.target,
      topics,
    });
    assert.equal(logs.length, 1);
    assert.equal(logs[0].index, toAlice.logs[0].index);
    assert.equal(BigInt(logs[0].data), 1n);
  });
}

async function listeners(step, token) {
  const socket = openSocket();
  const live = new Contract(token.target, token.interface, socket);
  await step('a contract event over WebSocket', async () => {
    const { calls, context } = await heard(
      live,
      live.filters.Transfer(null, bob),
      async () => {
        await mined(await token.mint(alice, 3n));
        return mined(await token.mint(bob, 4n));
      },
      (seen) => seen.length > 0,
    );
    assert.equal(calls.length, 1);
    const [payload] = calls[0].slice(-1);
    assert.deepEqual([...payload.args], [ZeroAddress, bob, 4n]);
    assert.equal(payload.log.transactionHash, context.hash);
    assert.equal(payload.log.blockHash, context.blockHash);
  });
  await step('blocks over WebSocket, in order', async () => {
    const { calls } = await heard(
      socket,
      'block',
      () => null,
      (seen) => seen.length >= 3,
    );
    const numbers = calls.map(([number]) => number);
    assert.deepEqual(
      numbers,
      numbers.map((_, index) => numbers[0] + index),
    );
    assert.ok((await socket.getBlockNumber()) >= numbers.at(-1));
  });
  await step('pending transactions over WebSocket', async () => {
    const { context } = await heard(
      socket,
      'pending',
      () => token.mint(alice, 5n),
      (seen, { hash }) => seen.some(([pending]) => pending === hash),
    );
    await mined(context);
  });
  await step('a transaction sent over WebSocket and waited for there', async () => {
    const receipt = await mined(await token.connect(owner.connect(socket)).mint(bob, 6n));
    assert.equal(receipt.status, 1);
    assert.equal(await live.balanceOf(bob), 12n);
  });
  await socket.destroy();
}

await scenario('ethers events', async (step) => {
  const { abi, bytecode } = artifact('Token');
  const token = await new ContractFactory(abi, bytecode, owner).deploy(
    'Events',
    'EVT',
    10n ** 20n,
    owner.address,
  );
  await mined(token.deploymentTransaction());
  await queries(step, token);
  await listeners(step, token);
  await step('events polled over HTTP', async () => {
    const { calls } = await heard(
      token,
      token.filters.Transfer(null, alice),
      async () => mined(await token.mint(alice, 7n)),
      (seen) => seen.length > 0,
    );
    assert.equal(calls.at(-1).at(-1).args[2], 7n);
  });
});
