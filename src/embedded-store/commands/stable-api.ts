import type { Document } from 'bson';
import { MongoError } from '../errors.ts';

/** Not in version 1; https://www.mongodb.com/docs/manual/reference/stable-api/ */
const unstable = new Set([
  ...['buildInfo', 'buildinfo', 'connectionStatus', 'getParameter', 'isMaster', 'ismaster', 'killSessions'],
  ...['collStats', 'dbStats', 'distinct', 'findandmodify', 'renameCollection'],
]);

/** Checks what a client declares about the API. @throws MongoError */
export function checkApi(name: string, { apiVersion, apiStrict, apiDeprecationErrors, pipeline }: Document): void {
  if (apiVersion === undefined) {
    if (apiStrict === undefined && apiDeprecationErrors === undefined) return;
    throw new MongoError('InvalidOptions', 'Provided apiStrict and/or apiDeprecationErrors without passing apiVersion');
  }
  if (apiVersion !== '1') throw new MongoError('APIVersionError', 'API version must be "1"');
  if (!apiStrict) return;
  if (unstable.has(name))
    throw new MongoError('APIStrictError', `The command ${name} is not in API Version ${apiVersion}.`);
  if (name === 'aggregate' && pipeline?.[0]?.$listLocalSessions)
    throw new MongoError('APIStrictError', `stage $listLocalSessions is not allowed with 'apiStrict: true'`);
}
