/** The edge of the process: configuration, start, signals, exit code. */
import { pino } from 'pino';
import { ConfigError, loadConfig, processEnvironment } from './config.ts';
import { errorInLog } from './error-in-log.ts';
import { StartError } from './errors.ts';
import { type FeiraInstance, startServer } from './server.ts';

type NewAdmin = NonNullable<FeiraInstance['newAdmin']>;

const inTerminal = process.stdout.isTTY === true;

function createLog(level: string) {
  return pino({
    level,
    base: undefined,
    serializers: { err: errorInLog },
    ...(inTerminal && {
      transport: { target: 'pino-pretty', options: { ignore: 'req,responseTime', singleLine: true } },
    }),
  });
}

function showAdmin({ email, password }: NewAdmin): void {
  process.stdout.write(
    `\n  The first admin was made. The password is shown only this once:\n\n    ${email}\n    ${password}\n\n  Log in on /login, and change it there.\n\n`,
  );
}

function showKey(key: string): void {
  process.stdout.write(
    `\n  An API key for writing to the catalogue was made. It is shown only this once:\n\n    ${key}\n\n  Send it as "Authorization: Bearer <key>".\n\n`,
  );
}

async function main(): Promise<void> {
  const config = loadConfig(processEnvironment());
  const log = createLog(config.logLevel);
  const feira = await startServer(config, log);
  if (feira.newAdmin?.password) showAdmin(feira.newAdmin);
  if (feira.newApiKey) showKey(feira.newApiKey);
  log.info({ url: config.http.publicUrl ?? feira.url }, 'Feira is open');

  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    process.on(signal, () => {
      log.info({ signal }, 'stopping');
      feira.stop().then(
        () => process.exit(0),
        (err) => {
          log.fatal({ err }, 'could not stop cleanly');
          process.exit(1);
        },
      );
    });
  }
}

const isExpected = (error: unknown) => error instanceof ConfigError || error instanceof StartError;

main().catch((error: unknown) => {
  process.stderr.write(`${isExpected(error) ? error.message : (error as Error).stack}\n`);
  process.exit(1);
});
