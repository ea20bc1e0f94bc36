/** /api/audit: what staff have changed. */
import { Router } from 'express';
import { allowOnly } from '../middleware/error-handler.ts';
import { requirePermission } from '../middleware/require-permission.ts';
import { ListAudit } from '../schemas/audit.schema.ts';
import { parseRequest } from '../schemas/parse-request.ts';
import type { AuditService } from '../services/audit.service.ts';

export function auditRouter({ audit }: { audit: AuditService }): Router {
  const router = Router();

  router
    .route('/')
    .get(requirePermission('audit:read'), async (req, res) => {
      const { query } = parseRequest(req, { query: ListAudit });
      res.setHeader('Cache-Control', 'private, no-store').json(await audit.list(req.actor, query));
    })
    .all(allowOnly('GET', 'HEAD'));

  return router;
}
