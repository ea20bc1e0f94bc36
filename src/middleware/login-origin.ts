/** Where a login comes from, in words in which people recognise their own devices. */
import Bowser from 'bowser';
import type { Request } from 'express';
import type { LoginOrigin } from '../services/session.service.ts';

const MAX_AGENT = 512;

export function loginOrigin(req: Request): LoginOrigin {
  return { device: deviceOf(req.get('user-agent')?.slice(0, MAX_AGENT) ?? ''), address: req.ip ?? '' };
}

/** "Firefox on Linux" for browsers, the first word for programs: "curl", "PostmanRuntime". */
function deviceOf(agent: string): string {
  if (agent === '') return 'Unknown';
  const { browser, os } = Bowser.parse(agent);
  const program = browser.name || (/^[\w.-]{1,40}/.exec(agent)?.[0] ?? 'Unknown');
  return os.name ? `${program} on ${os.name}` : program;
}
