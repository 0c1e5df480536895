// ethers: ContractFactory, calls, revert decoding, gas estimation, a proxy upgrade.
import assert from 'node:assert/strict';

import {
  Contract,
  ContractFactory,
  Interface,
  ZeroAddress,
  getCreateAddress,
  isError,
  parseEther,
} from 'ethers';

import { artifact, assertDeployedCode } from '../harness/artifacts.mjs';
import { mined, provider, signer } from '../harness/ethers.mjs';
import { IS_ANVIL } from '../harness/node.mjs';
import { scenario } from '../harness/scenario.mjs';

const owner = signer(0);
const other = signer(1);
const tokenCode = artifact('Token');
const vaultCode = artifact('Vault');
const factory = ({ abi, bytecode }) => new ContractFactory(abi, bytecode, owner);

const thrownBy = (promise) =>
  promise.then(
    () => assert.fail('nothing was thrown'),
    (error) => error,
  );

async function deployment(step) {
  const token = await step('ContractFactory deploys', async () => {
    const nonce = await owner.getNonce();
    const contract = await factory(tokenCode).deploy(
      'Ethers',
      'ETHRS',
      parseEther('10'),
      owner.address,
    );
    const receipt = await mined(contract.deploymentTransaction());
    const expected = getCreateAddress({ from: owner.address, nonce });
    assert.equal(await contract.getAddress(), expected);
    assert.equal(receipt.contractAddress, expected);
    assert.equal(receipt.status, 1);
    assertDeployedCode(await contract.getDeployedCode(), tokenCode);
    return contract;
  });
  await step('a transaction and its receipt', async () => {
    const receipt = await mined(await token.mint(other.address, 500n));
    assert.equal(receipt.from, owner.address);
    assert.equal(receipt.to, token.target);
    assert.equal(receipt.fee, receipt.gasUsed * receipt.gasPrice);
    const [event] = receipt.logs.map((log) => token.interface.parseLog(log));
    assert.equal(event.name, 'Transfer');
    assert.deepEqual([...event.args], [ZeroAddress, other.address, 500n]);
    assert.equal(await token.balanceOf(other.address), 500n);
    assert.equal(await token.balanceOf(other.address, { blockTag: receipt.blockNumber - 1 }), 0n);
    const block = await receipt.getBlock();
    assert.ok(block.transactions.includes(receipt.hash));
    assert.equal(
      (await receipt.getTransaction()).data,
      token.interface.encodeFunctionData('mint', [other.address, 500n]),
    );
  });
  await step('populateTransaction and estimateGas', async () => {
    const populated = await owner.populateTransaction(
      await token.mint.populateTransaction(other.address, 1n),
    );
    assert.equal(populated.type, 2);
    assert.equal(populated.nonce, await owner.getNonce());
    assert.equal(populated.from, owner.address);
    const estimate = await token.mint.estimateGas(other.address, 1n);
    assert.equal(populated.gasLimit, estimate);
    const receipt = await mined(await owner.sendTransaction(populated));
    assert.ok(receipt.gasUsed <= estimate);
    assert.equal(await token.transfer.staticCall(owner.address, 0n), true);
  });
  return token;
}

async function reverts(step, token, vault) {
  await step('staticCall decodes a custom error', async () => {
    const error = await thrownBy(token.mint.staticCall(owner.address, parseEther('11')));
    assert.ok(isError(error, 'CALL_EXCEPTION'));
    assert.equal(error.revert.name, 'CapExceeded');
    assert.deepEqual([...error.revert.args], [parseEther('11') + 501n, parseEther('10')]);
  });
  await step('staticCall as another account', async () => {
    const error = await thrownBy(token.connect(other).mint.staticCall(owner.address, 1n));
    assert.equal(error.revert.name, 'OwnableUnauthorizedAccount');
    assert.deepEqual([...error.revert.args], [other.address]);
  });
  await step('a reason string and a panic', async () => {
    const reason = await thrownBy(vault.withdraw.staticCall(1n));
    assert.equal(reason.reason, 'Vault: balance too low');
    assert.equal(reason.revert.name, 'Error');
    const panic = await thrownBy(vault.averageBalance());
    assert.equal(panic.revert.name, 'Panic');
    assert.deepEqual([...panic.revert.args].map(Number), [0x12]);
  });
  await step('estimateGas fails with the reason', async () => {
    const error = await thrownBy(vault.withdraw(1n));
    assert.ok(isError(error, 'CALL_EXCEPTION'));
    assert.equal(error.action, 'estimateGas');
    assert.equal(error.reason, 'Vault: balance too low');
    assert.equal(error.info.error.code, 3);
    assert.equal(error.info.error.message, 'execution reverted: Vault: balance too low');
  });
  await step('wait() throws for a failed transaction', async () => {
    const response = await vault.withdraw(1n, { gasLimit: 100_000n });
    const error = await thrownBy(mined(response));
    assert.ok(isError(error, 'CALL_EXCEPTION'));
    assert.equal(error.receipt.status, 0);
    assert.equal(error.receipt.hash, response.hash);
  });
}

async function proxies(step, implementation) {
  await step('an ERC1967 proxy is initialized, used and upgraded', async () => {
    const vaultAbi = new Interface(artifact('VaultV2', 'Vault.sol').abi);
    const initialize = vaultAbi.encodeFunctionData('initialize', [owner.address]);
    const proxy = await factory(artifact('ERC1967Proxy')).deploy(implementation, initialize);
    await mined(proxy.deploymentTransaction());
    const vault = new Contract(proxy.target, vaultAbi, owner);
    await mined(await vault.deposit({ value: 12n }));
    const next = await factory(artifact('VaultV2', 'Vault.sol')).deploy();
    await mined(next.deploymentTransaction());
    const refused = await thrownBy(
      vault.connect(other).upgradeToAndCall.staticCall(next.target, '0x'),
    );
    assert.equal(refused.revert.name, 'NotOwner');
    await mined(await vault.upgradeToAndCall(next.target, '0x'));
    assert.equal(await vault.version(), 2n);
    assert.equal(await vault.total(), 12n);
    assert.equal(await provider.getBalance(vault.target), 12n);
    const second = await thrownBy(vault.initialize.staticCall(other.address));
    assert.equal(second.revert.name, 'InvalidInitialization');
  });
}

await scenario('ethers contracts', async (step) => {
  const { name, chainId } = await provider.getNetwork();
  await step('the network and the heads', async () => {
    assert.equal(name, 'unknown');
    assert.equal(chainId, BigInt(await provider.send('eth_chainId', [])));
    const [finalized, safe, latest] = await Promise.all(
      ['finalized', 'safe', 'latest'].map((tag) => provider.getBlock(tag)),
    );
    assert.ok(finalized.number <= safe.number && safe.number <= latest.number);
    assert.match(latest.hash, /^0x[0-9a-f]{64}$/);
    if (!IS_ANVIL) assert.match(await provider.send('web3_clientVersion', []), /^[Cc]airn/);
  });
  const token = await deployment(step);
  const vault = await factory(vaultCode).deploy();
  await mined(vault.deploymentTransaction());
  await reverts(step, token, vault);
  await proxies(step, vault.target);
});
