/** The Express application: the order of the middleware, the routers, and the one exit for errors. */
import compression from 'compression';
import express, { type Express, type RequestHandler } from 'express';
import helmet from 'helmet';
import type { Logger } from 'pino';
import type { Config } from './config.ts';
import { cartCount } from './middleware/cart-cookie.ts';
import { csrf } from './middleware/csrf.ts';
import { errorHandler, notFound } from './middleware/error-handler.ts';
import { identify } from './middleware/identify.ts';
import { limitWrites } from './middleware/limit-writes.ts';
import { requestContext } from './middleware/request-context.ts';
import { requireJson } from './middleware/require-json.ts';
import { sameOrigin } from './middleware/same-origin.ts';
import { serveUploads } from './middleware/serve-uploads.ts';
import { receivePictureForm } from './middleware/upload-images.ts';
import { isStaff } from './permissions.ts';
import { adminCouponsRouter } from './routers/admin-coupons.router.ts';
import { adminOrdersRouter } from './routers/admin-orders.router.ts';
import { only, staffForms } from './routers/admin-page.ts';
import { adminPagesRouter } from './routers/admin-pages.router.ts';
import { adminProductsRouter } from './routers/admin-products.router.ts';
import { adminWebhooksRouter } from './routers/admin-webhooks.router.ts';
import { auditRouter } from './routers/audit.router.ts';
import { authRouter } from './routers/auth.router.ts';
import { authPages, authPagesRouter } from './routers/auth-pages.router.ts';
import { cartPagesRouter } from './routers/cart-pages.router.ts';
import { cartsRouter } from './routers/carts.router.ts';
import { categoriesRouter } from './routers/categories.router.ts';
import { chatRouter } from './routers/chat.router.ts';
import { chatPagesRouter } from './routers/chat-pages.router.ts';
import { checkoutRouter } from './routers/checkout.router.ts';
import { checkoutPagesRouter } from './routers/checkout-pages.router.ts';
import { couponsRouter } from './routers/coupons.router.ts';
import { docsRouter } from './routers/docs.router.ts';
import { keysRouter } from './routers/keys.router.ts';
import { orderPagesRouter } from './routers/order-pages.router.ts';
import { ordersRouter } from './routers/orders.router.ts';
import { outboxPagesRouter } from './routers/outbox-pages.router.ts';
import { pagesRouter } from './routers/pages.router.ts';
import { passkeyPagesRouter } from './routers/passkey-pages.router.ts';
import { passkeysRouter } from './routers/passkeys.router.ts';
import { paymentsRouter, paymentWebhooksRouter } from './routers/payments.router.ts';
import { productsRouter } from './routers/products.router.ts';
import { profilePagesRouter } from './routers/profile-pages.router.ts';
import { problemsRouter, systemRouter } from './routers/system.router.ts';
import { twoStepRouter } from './routers/two-step.router.ts';
import { twoStepPagesRouter } from './routers/two-step-pages.router.ts';
import { usersRouter } from './routers/users.router.ts';
import { webhooksRouter } from './routers/webhooks.router.ts';
import type { AccountService } from './services/account.service.ts';
import type { ApiKeyService } from './services/api-key.service.ts';
import type { AuditService } from './services/audit.service.ts';
import type { AuthService } from './services/auth.service.ts';
import type { AvatarService } from './services/avatar.service.ts';
import type { CartService } from './services/cart.service.ts';
import type { CartHandoverService } from './services/cart-handover.service.ts';
import type { CatalogueVersion } from './services/catalogue-version.ts';
import type { CategoryService } from './services/category.service.ts';
import type { ChatService } from './services/chat.service.ts';
import type { CheckoutService } from './services/checkout.service.ts';
import type { CouponService } from './services/coupon.service.ts';
import type { ImageService } from './services/image.service.ts';
import type { MailService } from './services/mail.service.ts';
import type { OrderService } from './services/order.service.ts';
import type { OrderMovesService } from './services/order-moves.service.ts';
import type { PasskeyService } from './services/passkey.service.ts';
import type { PaymentService } from './services/payment.service.ts';
import type { PersonalDataService } from './services/personal-data.service.ts';
import type { ProductService } from './services/product.service.ts';
import type { SessionService } from './services/session.service.ts';
import type { TwoStepService } from './services/two-step.service.ts';
import type { UserService } from './services/user.service.ts';
import type { WebhookService } from './services/webhook.service.ts';
import { rootDir, useHandlebars } from './view-engine.ts';

export interface AppDeps {
  config: Config;
  log: Logger;
  version: CatalogueVersion;
  /** Signs the cookie of logged-in browsers. */
  cookieSecret: string;
  csrfSecret: string;
  apiKeys: ApiKeyService;
  accounts: AccountService;
  audit: AuditService;
  auth: AuthService;
  avatars: AvatarService;
  passkeys: PasskeyService;
  sessions: SessionService;
  twoStep: TwoStepService;
  users: UserService;
  products: ProductService;
  categories: CategoryService;
  images: ImageService;
  carts: CartService;
  handover: CartHandoverService;
  coupons: CouponService;
  checkout: CheckoutService;
  orders: OrderService;
  orderMoves: OrderMovesService;
  chat: ChatService;
  mail: MailService;
  payments: PaymentService;
  personalData: PersonalDataService;
  webhooks: WebhookService;
  ping: () => Promise<void>;
  isStopping: () => boolean;
}

const BODY_LIMIT = '100kb';

export function createApp(deps: AppDeps): Express {
  const { config, log } = deps;
  const secureCookies = config.http.secure;
  const app = express();
  app.disable('x-powered-by').disable('etag').set('trust proxy', config.http.trustProxy);
  useHandlebars(app);

  app.use(systemRouter(deps));
  app.use(requestContext(log), securityHeaders(config));
  app.use('/api/payments', paymentWebhooksRouter(deps));
  app.use(identify(deps), sameOrigin(config.http.publicUrl), limitWrites(config.limits.writesPerMinute));

  app.use('/api', requireJson, express.json({ limit: BODY_LIMIT }));
  app.use('/api/products', productsRouter(deps));
  app.use('/api/categories', categoriesRouter(deps));
  app.use('/api/carts', cartsRouter({ carts: deps.carts, secureCookies }), checkoutRouter(deps));
  app.use('/api/orders', ordersRouter(deps));
  app.use('/api/payments', paymentsRouter({ payments: deps.payments, currency: config.currency }));
  app.use('/api/coupons', couponsRouter(deps));
  app.use('/api/auth', authRouter(deps));
  app.use('/api/auth/two-step', twoStepRouter(deps));
  app.use('/api/auth/passkeys', passkeysRouter(deps));
  app.use('/api/users', usersRouter(deps));
  app.use('/api/keys', keysRouter(deps));
  app.use('/api/audit', auditRouter(deps));
  app.use('/api/webhooks', webhooksRouter(deps));
  app.use('/api/chat', chatRouter({ chat: deps.chat, secureCookies }));
  app.use('/api', notFound);

  // After the API: looking for a file costs a call to the system.
  app.use(['/css', '/js', '/vendor/pico', '/vendor/webauthn'], compression());
  app.use('/img', express.static(`${rootDir}public/img`, { maxAge: '1d' }));
  // Styles and scripts are asked for each time, so that none is older than the page that uses it.
  app.use(express.static(`${rootDir}public`, { maxAge: 0 }));
  app.use('/vendor/pico', express.static(`${rootDir}node_modules/@picocss/pico/css`, { maxAge: '1d' }));
  app.use(
    '/vendor/webauthn',
    express.static(`${rootDir}node_modules/@simplewebauthn/browser/dist/bundle`, { maxAge: '1d' }),
  );
  app.use(
    '/vendor/fonts',
    express.static(`${rootDir}node_modules/@fontsource-variable/bricolage-grotesque/files`, { maxAge: '1d' }),
  );
  app.use('/uploads', serveUploads(config.uploadsDir));

  // Before the check of the token, which is in the form.
  app.post('/profile/avatar', receivePictureForm(config.uploadsDir));
  app.post('/admin/products/:pid/pictures', only('products:write'), receivePictureForm(config.uploadsDir, 10));
  app.use('/admin', staffForms);
  app.use(express.urlencoded({ extended: false, limit: BODY_LIMIT, parameterLimit: 50 }));
  app.use(csrf({ secret: deps.csrfSecret, secure: secureCookies, forVisitors: authPages }), loggedInAs);
  app.use(cartPagesRouter({ ...deps, secureCookies }), checkoutPagesRouter({ ...deps, secureCookies }));
  app.use(cartCount(deps.carts), orderPagesRouter({ ...deps, secureCookies }));
  app.use('/problems', problemsRouter());
  app.use(docsRouter({ publicUrl: config.http.publicUrl }));
  app.use(outboxPagesRouter(deps));
  app.use(authPagesRouter(deps), profilePagesRouter(deps), twoStepPagesRouter(deps), passkeyPagesRouter(deps));
  app.use(adminPagesRouter(deps), adminOrdersRouter(deps), adminProductsRouter(deps), adminCouponsRouter(deps));
  app.use(adminWebhooksRouter(deps));
  app.use(chatPagesRouter({ chat: deps.chat, secureCookies }));
  app.use(pagesRouter(deps));

  app.use(notFound, errorHandler);
  return app;
}

/** The layout shows who is logged in, so a page is for one person unless its route says that it is for everybody. */
const loggedInAs: RequestHandler = (req, res, next) => {
  res.setHeader('Cache-Control', 'private, no-cache');
  const { actor } = req.session;
  if (actor) res.locals.me = { name: actor.name, isStaff: isStaff(actor.role) };
  next();
};

function securityHeaders({ http }: Config) {
  return helmet({
    contentSecurityPolicy: {
      useDefaults: false,
      directives: {
        'default-src': ["'none'"],
        'script-src': ["'self'"],
        'style-src': ["'self'"],
        // Pictures of products may live elsewhere; Pico draws its controls with data: pictures.
        'img-src': ["'self'", 'data:', 'https:'],
        'connect-src': ["'self'"],
        'font-src': ["'self'"],
        'form-action': ["'self'"],
        'base-uri': ["'none'"],
        'object-src': ["'none'"],
        'frame-ancestors': ["'none'"],
      },
    },
    // Only an https shop can promise https.
    strictTransportSecurity: http.secure,
    referrerPolicy: { policy: 'same-origin' },
  });
}
