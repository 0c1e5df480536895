// forge and cast of npm, run as a developer runs them: in contracts/, with the node's URL.
import { execFile } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { promisify } from 'node:util';

import { CONTRACTS_DIR } from './artifacts.mjs';
import { RPC_URL } from './node.mjs';

const COMMAND_DEADLINE_MS = 120_000;
const run = promisify(execFile);

// The binary of the platform's package. (The wrapper that npm puts in front of it in
// @foundry-rs/cast always exits with 0.)
function binaryOf(tool) {
  const scope = `${CONTRACTS_DIR}node_modules/@foundry-rs/`;
  try {
    const platform = readdirSync(scope).find((name) => name.startsWith(`${tool}-`));
    return `${scope}${platform}/bin/${tool}`;
  } catch (cause) {
    throw new Error(`${tool} is not installed: run \`make setup\``, { cause });
  }
}

async function foundry(tool, args, env) {
  const binary = binaryOf(tool);
  const options = {
    cwd: CONTRACTS_DIR,
    env: { ...process.env, ETH_RPC_URL: RPC_URL, NO_COLOR: '1', ...env },
    maxBuffer: 64 << 20,
    timeout: COMMAND_DEADLINE_MS,
  };
  try {
    const { stdout } = await run(binary, args, options);
    return stdout.trim();
  } catch (error) {
    throw Object.assign(
      new Error(`${tool} ${args.join(' ')}\n${error.stdout ?? ''}${error.stderr ?? error.message}`),
      { stderr: error.stderr ?? '' },
    );
  }
}

/** Standard output of forge. */
export const forge = (args, env = {}) => foundry('forge', args, env);

/** Standard output of cast. */
export const cast = (...args) => foundry('cast', args, {});

/** Standard output of cast, which is JSON. */
export const castJson = async (command, ...args) =>
  JSON.parse(await cast(command, '--json', ...args));

/** What cast writes to standard error as it fails; an error when it succeeds. */
export async function castFailure(...args) {
  let output;
  try {
    output = await cast(...args);
  } catch (error) {
    return error.stderr;
  }
  throw new Error(`cast ${args.join(' ')} succeeded:\n${output}`);
}
