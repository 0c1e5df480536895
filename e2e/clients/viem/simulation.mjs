// viem: eth_simulateV1, eth_createAccessList, overrides of eth_call and eth_estimateGas.
import assert from 'node:assert/strict';

import {
  ExecutionRevertedError,
  InsufficientFundsError,
  encodeFunctionData,
  pad,
  parseEther,
} from 'viem';
import { generatePrivateKey, privateKeyToAddress } from 'viem/accounts';

import { artifact } from '../harness/artifacts.mjs';
import { IS_ANVIL, account, rpc } from '../harness/node.mjs';
import { scenario } from '../harness/scenario.mjs';
import { client, deploy, mined, wallet } from '../harness/viem.mjs';

const owner = wallet(2);
const poor = privateKeyToAddress(generatePrivateKey());
const tokenCode = artifact('Token');
const vaultCode = artifact('Vault');
const withdraw = encodeFunctionData({
  abi: vaultCode.abi,
  functionName: 'withdraw',
  args: [parseEther('1')],
});

async function simulations(step, token) {
  await step('simulateBlocks carries state from call to call and block to block', async () => {
    const contract = { to: token, abi: tokenCode.abi };
    const head = await client.getBlockNumber();
    const blocks = await client.simulateBlocks({
      blocks: [
        {
          stateOverrides: [{ address: poor, balance: parseEther('5') }],
          calls: [
            {
              ...contract,
              functionName: 'mint',
              args: [poor, 10n],
              account: owner.account.address,
            },
            {
              ...contract,
              functionName: 'transfer',
              args: [owner.account.address, 4n],
              account: poor,
            },
          ],
        },
        {
          blockOverrides: { number: head + 2n, time: BigInt(Math.floor(Date.now() / 1000) + 3600) },
          calls: [
            { ...contract, functionName: 'balanceOf', args: [poor] },
            {
              ...contract,
              functionName: 'transfer',
              args: [owner.account.address, 7n],
              account: poor,
            },
          ],
        },
      ],
    });
    const first = blocks[0];
    const last = blocks.at(-1);
    assert.deepEqual(
      first.calls.map(({ status }) => status),
      ['success', 'success'],
    );
    assert.equal(first.calls[1].result, true);
    assert.equal(first.calls[0].logs.length, 1);
    assert.equal(first.calls[0].logs[0].address, token.toLowerCase());
    // anvil gives the first block the number of the head.
    if (!IS_ANVIL) assert.equal(first.number, head + 1n);
    assert.equal(last.number, head + 2n);
    assert.equal(last.calls[0].result, 6n);
    assert.equal(last.calls[1].status, 'failure');
    assert.equal(last.calls[1].error.cause.data.errorName, 'ERC20InsufficientBalance');
    assert.deepEqual(last.calls[1].error.cause.data.args, [poor, 6n, 7n]);
    assert.equal(
      await client.readContract({
        address: token,
        abi: tokenCode.abi,
        functionName: 'totalSupply',
      }),
      0n,
    );
  });
  await step('simulateBlocks traces ether transfers as logs', async () => {
    const [block] = await client.simulateBlocks({
      traceTransfers: true,
      blocks: [{ calls: [{ to: poor, value: 9n, account: owner.account.address }] }],
    });
    const [{ logs }] = block.calls;
    assert.equal(logs.length, 1);
    assert.equal(logs[0].address.toLowerCase(), '0xeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeee');
    assert.equal(BigInt(logs[0].data), 9n);
  });
  if (!IS_ANVIL) {
    await step('simulateBlocks validates nonces when asked', async () => {
      await assert.rejects(
        client.simulateBlocks({
          validation: true,
          blocks: [
            {
              calls: [
                {
                  to: poor,
                  nonce: 0,
                  account: owner.account.address,
                  maxFeePerGas: parseEther('1') / 10n ** 6n,
                },
              ],
            },
          ],
        }),
        (error) =>
          error.walk(({ code }) => code === -38010) !== null || /nonce too low/.test(error.message),
      );
    });
  }
  await step('createAccessList names what a call touches', async () => {
    const data = encodeFunctionData({
      abi: tokenCode.abi,
      functionName: 'mint',
      args: [poor, 10n],
    });
    const { accessList, gasUsed } = await client.createAccessList({
      account: owner.account,
      to: token,
      data,
    });
    assert.equal(accessList.length, 1);
    assert.equal(accessList[0].address, token.toLowerCase());
    // totalSupply, owner and the balance of the recipient.
    assert.equal(accessList[0].storageKeys.length, 3);
    assert.ok(accessList[0].storageKeys.includes(pad('0x2')));
    assert.ok(accessList[0].storageKeys.includes(pad('0x8')));
    // The gas is that of the transaction with this list.
    const receipt = await mined(
      await owner.sendTransaction({ type: 'eip2930', to: token, data, accessList }),
    );
    assert.equal(receipt.gasUsed, gasUsed);
  });
}

async function overrides(step, vault) {
  await step('a balance override lets a poor account pay', async () => {
    const value = parseEther('3');
    const request = { account: poor, to: account(9).address, value, maxFeePerGas: 10n ** 11n };
    // anvil estimates as if everyone could pay.
    if (!IS_ANVIL) {
      await assert.rejects(
        client.estimateGas(request),
        (error) => error.walk((cause) => cause instanceof InsufficientFundsError) !== null,
      );
    }
    const stateOverride = [{ address: poor, balance: parseEther('4') }];
    assert.equal(await client.estimateGas({ ...request, stateOverride }), 21_000n);
  });
  await step('a storage override and a code override', async () => {
    const slot = pad('0x0');
    const stateDiff = [{ slot, value: pad(poor) }];
    const contract = { address: vault, abi: vaultCode.abi };
    const read = (stateOverride) =>
      client.readContract({ ...contract, functionName: 'owner', stateOverride });
    assert.equal(await read([{ address: vault, stateDiff }]), poor);
    const v2 = artifact('VaultV2', 'Vault.sol');
    const version = await client.readContract({
      ...contract,
      functionName: 'version',
      stateOverride: [{ address: vault, code: v2.deployedBytecode }],
    });
    assert.equal(version, 2n);
    assert.equal(await client.readContract({ ...contract, functionName: 'version' }), 1n);
  });
  await step('a block override of the time and the number', async () => {
    // TIMESTAMP PUSH0 MSTORE NUMBER PUSH1 32 MSTORE PUSH1 64 PUSH0 RETURN
    const code = '0x425f524360205260405ff3';
    const { data } = await client.call({
      to: poor,
      stateOverride: [{ address: poor, code }],
      blockOverrides: { time: 4242n, number: 77n },
    });
    assert.equal(data, `${pad('0x1092')}${pad('0x4d').slice(2)}`);
  });
}

async function estimates(step, vault) {
  await step('estimateGas of a reverting call gives the reason', async () => {
    await assert.rejects(
      client.estimateGas({ account: owner.account, to: vault, data: withdraw }),
      (error) => {
        const reverted = error.walk((cause) => cause instanceof ExecutionRevertedError);
        assert.match(reverted.message, /Execution reverted with reason: Vault: balance too low\./);
        return true;
      },
    );
  });
  // viem leaves the limit out of the request. anvil ignores it.
  if (!IS_ANVIL) {
    await step('eth_estimateGas with too small a limit', async () => {
      const data = encodeFunctionData({ abi: vaultCode.abi, functionName: 'deposit' });
      const request = { from: owner.account.address, to: vault, data, value: '0x1', gas: '0x7530' };
      const { error } = await rpc('eth_estimateGas', [request]);
      assert.deepEqual(error, { code: -32000, message: 'gas required exceeds allowance (30000)' });
    });
  }
}

await scenario('viem simulation', async (step) => {
  const token = await deploy(owner, tokenCode, [
    'Sample',
    'SMPL',
    parseEther('1'),
    owner.account.address,
  ]);
  const vault = await deploy(owner, vaultCode);
  await simulations(step, token);
  await overrides(step, vault);
  await estimates(step, vault);
});
