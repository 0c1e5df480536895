// viem: deploy, read, write, simulate with each kind of revert decoded, multicall, typed permit.
import assert from 'node:assert/strict';

import {
  BaseError,
  ContractFunctionRevertedError,
  encodeFunctionData,
  getContract,
  getContractAddress,
  parseEther,
  parseSignature,
} from 'viem';

import { artifact, assertDeployedCode } from '../harness/artifacts.mjs';
import { IS_ANVIL, account } from '../harness/node.mjs';
import { scenario } from '../harness/scenario.mjs';
import { chain, client, mined, wallet } from '../harness/viem.mjs';

const owner = wallet(0);
const other = wallet(4);
const tokenCode = artifact('Token');
const vaultCode = artifact('Vault');

/** The decoded revert that `promise` must end with. */
async function revertOf(promise) {
  const error = await promise.then(
    () => assert.fail('no revert'),
    (thrown) => thrown,
  );
  assert.ok(error instanceof BaseError, error);
  const reverted = error.walk((cause) => cause instanceof ContractFunctionRevertedError);
  assert.ok(reverted, error);
  return reverted;
}

async function deployAndUse(step) {
  const address = await step('deployContract', async () => {
    const nonce = await client.getTransactionCount(owner.account);
    const hash = await owner.deployContract({
      ...tokenCode,
      args: ['Viem', 'VIEM', parseEther('1000'), owner.account.address],
    });
    const receipt = await mined(hash);
    const expected = getContractAddress({ from: owner.account.address, nonce: BigInt(nonce) });
    assert.equal(receipt.contractAddress, expected.toLowerCase());
    assertDeployedCode(await client.getCode({ address: expected }), tokenCode);
    return expected;
  });
  const token = getContract({
    address,
    abi: tokenCode.abi,
    client: { public: client, wallet: owner },
  });

  await step('writeContract and readContract', async () => {
    const receipt = await mined(await token.write.mint([other.account.address, 700n]));
    assert.equal(receipt.logs.length, 1);
    assert.ok(receipt.gasUsed > 21_000n && receipt.gasUsed < 100_000n);
    assert.equal(await token.read.balanceOf([other.account.address]), 700n);
    const { blockNumber } = receipt;
    const earlier = { blockNumber: blockNumber - 1n };
    assert.equal(await token.read.balanceOf([other.account.address], earlier), 0n);
  });
  await step('simulateContract gives the result and a request that succeeds', async () => {
    const { result, request } = await client.simulateContract({
      address,
      abi: tokenCode.abi,
      functionName: 'transfer',
      args: [owner.account.address, 200n],
      account: other.account,
    });
    assert.equal(result, true);
    await mined(await other.writeContract(request));
    assert.equal(await token.read.balanceOf([owner.account.address]), 200n);
  });
  await step('a typed-data permit is accepted on chain', async () => {
    const [, name, version, chainId, verifyingContract] = await token.read.eip712Domain();
    assert.equal(chainId, BigInt(chain.id));
    const field =
      (type) =>
      ([key]) => ({ name: key, type });
    const message = {
      owner: other.account.address,
      spender: owner.account.address,
      value: 99n,
      nonce: 0n,
      deadline: 2n ** 40n,
    };
    const signature = await other.signTypedData({
      domain: { name, version, chainId, verifyingContract },
      primaryType: 'Permit',
      types: {
        Permit: Object.entries(message).map((entry) =>
          field(entry[0] === 'owner' || entry[0] === 'spender' ? 'address' : 'uint256')(entry),
        ),
      },
      message,
    });
    const { v, r, s } = parseSignature(signature);
    const { value, deadline } = message;
    await mined(
      await token.write.permit([message.owner, message.spender, value, deadline, Number(v), r, s]),
    );
    assert.equal(await token.read.allowance([message.owner, message.spender]), 99n);
  });
  return address;
}

async function reverts(step, token, vault) {
  await step('simulateContract decodes a custom error', async () => {
    const reverted = await revertOf(
      client.simulateContract({
        address: token,
        abi: tokenCode.abi,
        functionName: 'mint',
        args: [owner.account.address, parseEther('1001')],
        account: owner.account,
      }),
    );
    assert.equal(reverted.data.errorName, 'CapExceeded');
    assert.deepEqual(reverted.data.args, [parseEther('1001') + 700n, parseEther('1000')]);
  });
  await step('simulateContract decodes an inherited custom error', async () => {
    const reverted = await revertOf(
      client.simulateContract({
        address: token,
        abi: tokenCode.abi,
        functionName: 'mint',
        args: [owner.account.address, 1n],
        account: other.account,
      }),
    );
    assert.equal(reverted.data.errorName, 'OwnableUnauthorizedAccount');
    assert.deepEqual(reverted.data.args, [other.account.address]);
  });
  await step('simulateContract gives a reason string', async () => {
    const reverted = await revertOf(
      client.simulateContract({
        address: vault,
        abi: vaultCode.abi,
        functionName: 'withdraw',
        args: [1n],
        account: owner.account,
      }),
    );
    assert.equal(reverted.reason, 'Vault: balance too low');
  });
  await step('readContract gives a panic', async () => {
    const reverted = await revertOf(
      client.readContract({ address: vault, abi: vaultCode.abi, functionName: 'averageBalance' }),
    );
    assert.equal(reverted.data.errorName, 'Panic');
    assert.deepEqual(reverted.data.args, [0x12n]);
  });
  await step('a call to an address without code is told apart', async () => {
    await assert.rejects(
      client.readContract({
        address: account(9).address,
        abi: vaultCode.abi,
        functionName: 'owner',
      }),
      /returned no data \("0x"\)/,
    );
  });
}

async function multicall(step, token) {
  // anvil has no Multicall3 of its own: viem then sends the code along.
  await step('multicall in one call', async () => {
    if (!IS_ANVIL) assert.ok(await client.getCode({ address: chain.contracts.multicall3.address }));
    const contract = { address: token, abi: tokenCode.abi };
    const results = await client.multicall({
      deployless: IS_ANVIL,
      contracts: [
        { ...contract, functionName: 'symbol' },
        { ...contract, functionName: 'totalSupply' },
        { ...contract, functionName: 'transfer', args: [owner.account.address, 1n] },
      ],
    });
    assert.equal(results[0].result, 'VIEM');
    assert.equal(results[1].result, 700n);
    assert.equal(results[2].status, 'failure');
    const reverted = results[2].error.walk(
      (cause) => cause instanceof ContractFunctionRevertedError,
    );
    assert.equal(reverted.data.errorName, 'ERC20InsufficientBalance');
  });
}

await scenario('viem contracts', async (step) => {
  const token = await deployAndUse(step);
  const hash = await owner.deployContract(vaultCode);
  const vault = (await mined(hash)).contractAddress;
  await reverts(step, token, vault);
  await multicall(step, token);
  await step('call without gas price, with a creation and with a state override', async () => {
    const data = encodeFunctionData({ abi: tokenCode.abi, functionName: 'owner' });
    const { data: created } = await client.call({ data: vaultCode.bytecode });
    assertDeployedCode(created, vaultCode);
    const elsewhere = account(9).address;
    const code = await client.getCode({ address: token });
    const slot = `0x${'8'.padStart(64, '0')}`;
    const value = `0x${elsewhere.slice(2).toLowerCase().padStart(64, '0')}`;
    const { data: overridden } = await client.call({
      to: elsewhere,
      data,
      stateOverride: [{ address: elsewhere, code, stateDiff: [{ slot, value }] }],
    });
    assert.equal(overridden, value);
  });
});
