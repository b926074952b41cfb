import { ringOf, type SecretRing } from '../src/http/key-material.ts';
import { isDone, type Progress, RotationRefused, rotate } from './identity-rotation.ts';
import { type Survey, survey } from './identity-survey.ts';
import { reasonOf } from './reason.ts';
import { withSession } from './rotation-session.ts';

const USAGE = `Rotates IDENTITY_SECRET (SECURITY.md, "Rotate secrets").
  DATABASE_URL=… IDENTITY_SECRET=… IDENTITY_SECRET_PREVIOUS=… npm run rotate-identities
    wraps the keys of all workspaces under IDENTITY_SECRET too; IDENTITY_SECRET_PREVIOUS keeps opening them
  DATABASE_URL=… IDENTITY_SECRET=… npm run rotate-identities
    stores the keys of workspaces of release 0.1.0, and removes what other secrets open
  -- --check           shows the workspaces and changes nothing
  -- --batch-size=100  workspaces of one transaction, 1 to 10000 (1000)`;

const MIN_SECRET_LENGTH = 32;
const MAX_BATCH_SIZE = 10_000;
const DEFAULT_BATCH_SIZE = 1000;

/** SQLSTATEs of a table or role that does not exist. */
const NOT_MIGRATED = ['42P01', '22023'];

/** A mistake in the environment or the arguments. */
class UsageError extends Error {
  override name = 'UsageError';
}

interface Settings {
  databaseUrl: string;
  ring: SecretRing;
  isCheck: boolean;
  batch_size: number;
}

async function readSettings(env: NodeJS.ProcessEnv, args: string[]): Promise<Settings> {
  const { DATABASE_URL = '', IDENTITY_SECRET = '', IDENTITY_SECRET_PREVIOUS } = env;
  if (!/^postgres(ql)?:\/\//.test(DATABASE_URL))
    throw new UsageError('DATABASE_URL is not a connection string');
  const secrets = { IDENTITY_SECRET, ...(IDENTITY_SECRET_PREVIOUS && { IDENTITY_SECRET_PREVIOUS }) };
  for (const [name, secret] of Object.entries(secrets)) {
    if (secret.length < MIN_SECRET_LENGTH)
      throw new UsageError(`${name} has fewer than ${MIN_SECRET_LENGTH} characters`);
  }
  if (IDENTITY_SECRET === IDENTITY_SECRET_PREVIOUS)
    throw new UsageError('IDENTITY_SECRET and IDENTITY_SECRET_PREVIOUS are the same');
  const sizes = args.flatMap((arg) => /^--batch-size=(\d{1,5})$/.exec(arg)?.[1] ?? []).map(Number);
  const unknown = args.filter((arg) => arg !== '--check' && !/^--batch-size=\d{1,5}$/.test(arg));
  const batch_size = sizes.at(-1) ?? DEFAULT_BATCH_SIZE;
  if (unknown.length > 0) throw new UsageError(`unknown argument ${unknown.join(' ')}`);
  if (batch_size < 1 || batch_size > MAX_BATCH_SIZE)
    throw new UsageError(`--batch-size is not 1 to ${MAX_BATCH_SIZE}`);
  const ring = await ringOf({
    identity_secret: IDENTITY_SECRET,
    identity_secret_previous: IDENTITY_SECRET_PREVIOUS,
  });
  return { databaseUrl: DATABASE_URL, ring, isCheck: args.includes('--check'), batch_size };
}

function print(text: string): void {
  process.stdout.write(`${text}\n`);
}

function describe(found: Survey, ring: SecretRing): string {
  const { workspaces, current, previous, unkept, closed, elsewhere } = found;
  return [
    `${workspaces} workspaces:`,
    `  ${current} open with IDENTITY_SECRET (${ring[0].id})`,
    ...(ring[1] ? [`  ${previous} open with IDENTITY_SECRET_PREVIOUS (${ring[1].id}) alone`] : []),
    `  ${unkept} of release 0.1.0 have no stored key yet`,
    `  ${closed} open with neither`,
    `  ${elsewhere} open with other secrets too`,
  ].join('\n');
}

function progressLine({ what, done, of, per_second }: Progress): string {
  return `${what} ${done} of ${of} (${Math.floor((100 * done) / of)} %), ${per_second} a second`;
}

/** The end of a run that was not refused. */
function outcome(found: Survey, ring: SecretRing, isStopped: boolean): string {
  if (isStopped) return 'stopped; run it again to go on';
  if (!isDone(found, ring))
    return 'not all workspaces are done, because some were created meanwhile; run it again';
  const done =
    ring.length > 1
      ? 'done: every workspace opens with IDENTITY_SECRET, and nothing was removed'
      : 'done: every workspace opens with IDENTITY_SECRET, and with no other secret';
  if (found.derived === 0) return done;
  return `${done}
${found.derived} workspaces of release 0.1.0 keep the keys that were derived from the secret of that release. Whoever has that
secret can still compute them, so keep it secret for ever, or move those workspaces to new ones.`;
}

async function run(
  { databaseUrl, ring, isCheck, batch_size }: Settings,
  signal: AbortSignal,
): Promise<number> {
  return withSession(databaseUrl, async (ask) => {
    const before = await survey(ask, ring);
    print(describe(before, ring));
    if (isCheck) return 0;
    const onProgress = (progress: Progress) => print(progressLine(progress));
    const after = await rotate({ ask, ring, batch_size, onProgress, signal }, before);
    const isStopped = signal.aborted && !isDone(after, ring);
    print(outcome(after, ring, isStopped));
    return isDone(after, ring) ? 0 : 1;
  });
}

/** Resolves to the exit code: 0 if every workspace is done. */
async function runRotation(env: NodeJS.ProcessEnv, args: string[]): Promise<number> {
  const stopping = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => stopping.abort());
  try {
    return await run(await readSettings(env, args), stopping.signal);
  } catch (error) {
    if (error instanceof UsageError) process.stderr.write(`${error.message}\n\n${USAGE}\n`);
    else if (error instanceof RotationRefused)
      process.stderr.write(`refused, nothing was changed: ${error.message}\n`);
    else {
      const isUnmigrated = NOT_MIGRATED.includes((error as { code?: string }).code ?? '');
      const advice = isUnmigrated ? 'Run `npm run migrate` first.' : 'Run it again to go on.';
      process.stderr.write(`the rotation ended early: ${reasonOf(error)}. ${advice}\n`);
    }
    return 1;
  }
}

process.exitCode = await runRotation(process.env, process.argv.slice(2));
