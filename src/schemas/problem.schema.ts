/** The refusal, as every door sends it. */
import { z } from 'zod';
import { type ProblemCode, problemKinds } from '../problem-codes.ts';

const codes = Object.keys(problemKinds) as [ProblemCode, ...ProblemCode[]];

/** RFC 9457. Some codes add members of their own, such as `available` of OUT_OF_STOCK. */
export const ProblemBody = z
  .looseObject({
    type: z.string().meta({ description: 'Address, relative to the server, of the page that explains this refusal' }),
    title: z.string(),
    status: z.int().meta({ description: 'The HTTP status' }),
    detail: z.string().meta({ description: 'What is wrong with this request' }),
    code: z.enum(codes).meta({ description: 'Stable; the member for programs to decide by' }),
    requestId: z.string().optional().meta({ description: 'The same as the header X-Request-Id' }),
    errors: z
      .array(
        z.object({
          pointer: z.string().meta({ description: 'JSON pointer to the place in the input', example: '#/price' }),
          detail: z.string(),
        }),
      )
      .optional()
      .meta({ description: 'Every fault, with INVALID_INPUT' }),
  })
  .meta({ id: 'Problem', description: 'Problem details (RFC 9457)' });
