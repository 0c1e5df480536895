// An ERC-20 token of L1 through the standard bridge to L2 and back.
import assert from 'node:assert/strict';

import { getAddress, parseAbi, parseEther, parseEventLogs } from 'viem';

import { artifact } from '../harness/artifacts.mjs';
import {
  contracts,
  deposited,
  minedL1,
  minedL2,
  publicL1,
  publicL2,
  walletL1,
  walletL2,
  withdraw,
} from '../harness/devnet.mjs';
import { account } from '../harness/node.mjs';
import { scenario } from '../harness/scenario.mjs';

const onL1 = walletL1(4);
const onL2 = walletL2(4);
const self = account(4).address;
const token = artifact('Token');
const bridgeAbi = parseAbi([
  'function bridgeERC20(address localToken, address remoteToken, uint256 amount, uint32 minGasLimit, bytes extraData)',
]);
const factoryAbi = parseAbi([
  'function createOptimismMintableERC20(address remoteToken, string name, string symbol) returns (address)',
  'event OptimismMintableERC20Created(address indexed localToken, address indexed remoteToken, address deployer)',
]);
const erc20Abi = parseAbi([
  'function approve(address spender, uint256 amount) returns (bool)',
  'function balanceOf(address owner) view returns (uint256)',
  'function totalSupply() view returns (uint256)',
  'function remoteToken() view returns (address)',
]);

const amount = parseEther('1000');
const back = parseEther('400');

const read = (client, address, functionName, args = []) =>
  client.readContract({ address, abi: erc20Abi, functionName, args });

async function createTokens(step) {
  const local = await step('a token on L1', async () => {
    const args = ['Bridged', 'BRG', amount, self];
    const { contractAddress } = await minedL1(await onL1.deployContract({ ...token, args }));
    const mint = { address: contractAddress, abi: token.abi, functionName: 'mint' };
    await minedL1(await onL1.writeContract({ ...mint, args: [self, amount] }));
    return getAddress(contractAddress);
  });
  const remote = await step('the factory makes its counterpart on L2', async () => {
    const hash = await onL2.writeContract({
      address: contracts.l2.OptimismMintableERC20Factory,
      abi: factoryAbi,
      functionName: 'createOptimismMintableERC20',
      args: [local, 'Bridged', 'BRG'],
    });
    const { logs } = await minedL2(hash);
    const [created] = parseEventLogs({ abi: factoryAbi, logs });
    assert.equal(created.args.remoteToken, local);
    assert.equal(await read(publicL2, created.args.localToken, 'remoteToken'), local);
    return created.args.localToken;
  });
  return { local, remote };
}

async function toL2(step, { local, remote }) {
  const bridge = contracts.l1.L1StandardBridge;
  await step('the bridge takes the tokens on L1 and mints on L2', async () => {
    const approve = { address: local, abi: erc20Abi, functionName: 'approve' };
    await minedL1(await onL1.writeContract({ ...approve, args: [bridge, amount] }));
    const hash = await onL1.writeContract({
      address: bridge,
      abi: bridgeAbi,
      functionName: 'bridgeERC20',
      args: [local, remote, amount, 300_000, '0x'],
    });
    await deposited(await minedL1(hash));
    assert.equal(await read(publicL1, local, 'balanceOf', [bridge]), amount);
    assert.equal(await read(publicL2, remote, 'balanceOf', [self]), amount);
  });
}

async function toL1(step, { local, remote }) {
  const receipt = await step('the bridge burns on L2', async () => {
    const hash = await onL2.writeContract({
      address: contracts.l2.L2StandardBridge,
      abi: bridgeAbi,
      functionName: 'bridgeERC20',
      args: [remote, local, back, 300_000, '0x'],
    });
    const mined = await minedL2(hash);
    assert.equal(await read(publicL2, remote, 'totalSupply'), amount - back);
    return mined;
  });
  await withdraw(step, onL1, receipt);
  await step('the tokens are back on L1', async () => {
    const bridge = contracts.l1.L1StandardBridge;
    assert.equal(await read(publicL1, local, 'balanceOf', [self]), back);
    assert.equal(await read(publicL1, local, 'balanceOf', [bridge]), amount - back);
  });
}

await scenario('op-stack tokens', async (step) => {
  const tokens = await createTokens(step);
  await toL2(step, tokens);
  await toL1(step, tokens);
});
