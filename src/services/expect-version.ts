/** Changes that depend on the version that the caller has read. */
import { AppError } from '../errors.ts';

/**
 * @param what is changed, as in "The order is at version 3."
 * @param ifVersion undefined when the caller does not mind
 * @throws AppError VERSION_MISMATCH
 */
export function expectVersion(what: string, version: number, ifVersion: number | undefined): void {
  if (ifVersion !== undefined && ifVersion !== version)
    throw new AppError('VERSION_MISMATCH', `The ${what} is at version ${version}.`);
}
