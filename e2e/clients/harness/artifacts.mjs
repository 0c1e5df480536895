// What forge compiled into contracts/out, and the check of deployed code against it.
import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

export const CONTRACTS_DIR = fileURLToPath(new URL('../../../contracts/', import.meta.url));

/** The artifact `{ abi, bytecode, deployedBytecode, immutables }` of `name` in `file`. */
export function artifact(name, file = `${name}.sol`) {
  const path = `${CONTRACTS_DIR}out/${file}/${name}.json`;
  assert.ok(existsSync(path), `${path} is missing: run \`make setup\``);
  const json = JSON.parse(readFileSync(path, 'utf8'));
  return {
    abi: json.abi,
    bytecode: json.bytecode.object,
    deployedBytecode: json.deployedBytecode.object,
    immutables: Object.values(json.deployedBytecode.immutableReferences ?? {}).flat(),
  };
}

/** Asserts that `code` is the compiled code, but for the immutables that the constructor filled in. */
export function assertDeployedCode(code, { deployedBytecode, immutables }) {
  const mask = (hex) => {
    const bytes = Buffer.from(hex.slice(2), 'hex');
    for (const { start, length } of immutables) bytes.fill(0, start, start + length);
    return bytes.toString('hex');
  };
  assert.equal(mask(code), mask(deployedBytecode));
}
