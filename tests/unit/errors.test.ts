import { describe, expect, it } from '@jest/globals';
import { MongoNetworkError, MongoServerError, MongoServerSelectionError, type TopologyDescription } from 'mongodb';
import { AppError, toProblem } from '../../src/errors.ts';

describe('toProblem', () => {
  it.each([
    ['lost on the way', new MongoNetworkError('connection closed')],
    ['not found', new MongoServerSelectionError('timed out', {} as TopologyDescription)],
    ['without space', new MongoServerError({ message: 'no space left on the device', code: 14_031 })],
    ['without a flush in time', new MongoServerError({ message: 'no flush within 5000 ms', code: 64 })],
  ])('says that the shop is not available when the database is %s', (_what, error) => {
    const problem = toProblem(error);
    expect(problem).toMatchObject({ status: 503, code: 'UNAVAILABLE' });
    expect(JSON.stringify(problem)).not.toContain(error.message);
  });

  it('hides what nobody foresaw', () => {
    const problem = toProblem(new Error('password=hunter2'), 'id-1');
    expect(problem).toMatchObject({ status: 500, code: 'INTERNAL', requestId: 'id-1' });
    expect(JSON.stringify(problem)).not.toContain('hunter2');
  });

  it('adds the members of a refusal', () => {
    const problem = toProblem(new AppError('OUT_OF_STOCK', 'Only 2 left.', { available: 2 }));
    expect(problem).toMatchObject({
      type: '/problems/out-of-stock',
      status: 409,
      detail: 'Only 2 left.',
      available: 2,
    });
  });
});
