/** The composition root: the only place with `new XService`, and the order of start and stop. */
import { createServer, type Server } from 'node:http';
import { type AddressInfo, isIPv6 } from 'node:net';
import type { Logger } from 'pino';
import { openMailer } from './adapters/mailer/open-mailer.ts';
import { openPayments } from './adapters/payments/open-payments.ts';
import { diskStorage } from './adapters/storage/disk-storage.ts';
import { createApp } from './app.ts';
import type { Config } from './config.ts';
import { connectDatabase } from './database/connect.ts';
import { demoCatalogue } from './demo/catalogue.ts';
import { StartError } from './errors.ts';
import { EventBus } from './events.ts';
import { JobRunner, jobsOf } from './jobs/index.ts';
import { identifyHandshake } from './middleware/identify.ts';
import { publicCache } from './middleware/public-cache.ts';
import { removeStaleUploads } from './middleware/upload-images.ts';
import { attachRealtime, closeRealtime } from './realtime/attach.ts';
import { RunningRequests } from './running-requests.ts';
import { AccountService } from './services/account.service.ts';
import { ApiKeyService } from './services/api-key.service.ts';
import { AuditService } from './services/audit.service.ts';
import { AuthService } from './services/auth.service.ts';
import { AvatarService } from './services/avatar.service.ts';
import { CartService } from './services/cart.service.ts';
import { CartHandoverService } from './services/cart-handover.service.ts';
import { CatalogueIndex } from './services/catalogue-index.ts';
import { CatalogueVersion } from './services/catalogue-version.ts';
import { CatalogueWriter } from './services/catalogue-writer.ts';
import { CategoryService } from './services/category.service.ts';
import { ChatService } from './services/chat.service.ts';
import { CheckoutService } from './services/checkout.service.ts';
import { CouponService } from './services/coupon.service.ts';
import { DemoDataService } from './services/demo-data.service.ts';
import { ImageService } from './services/image.service.ts';
import { LoginLimits } from './services/login-limits.ts';
import { MailService } from './services/mail.service.ts';
import { loadMailTemplates } from './services/mail-templates.ts';
import { OrderService } from './services/order.service.ts';
import { OrderExpiry } from './services/order-expiry.ts';
import { orderMails } from './services/order-mails.ts';
import { OrderMovesService } from './services/order-moves.service.ts';
import { OrderPayments } from './services/order-payments.ts';
import { Outbox } from './services/outbox.ts';
import { shopConsumers } from './services/outbox-consumers.ts';
import { PasskeyService } from './services/passkey.service.ts';
import { PaymentService } from './services/payment.service.ts';
import { PersonalDataService } from './services/personal-data.service.ts';
import { ProductService } from './services/product.service.ts';
import { upgradeProducts } from './services/product-upgrade.ts';
import { encryptionKey, shopSecret } from './services/secrets.ts';
import { SessionService } from './services/session.service.ts';
import { TwoStepService } from './services/two-step.service.ts';
import { type NewAdmin, UserService } from './services/user.service.ts';
import { WebhookService } from './services/webhook.service.ts';
import { webhookConsumers } from './services/webhook-deliveries.ts';

const STOP_LIMIT_MS = 10_000;

export interface FeiraInstance {
  /** The address that the server listens on. */
  url: string;
  /** The admin that was made in this start; its password is to be shown once, unless it was configured. */
  newAdmin: NewAdmin | null;
  /** The API key that was made in this start, to be shown once; null when there was one already. */
  newApiKey: string | null;
  /** Ends what runs, at most ten seconds, then closes sockets and the database. Safe to call again. */
  stop(): Promise<void>;
}

/** Starts everything; when it resolves, the shop answers. @throws when the port or the data directory is taken. */
export async function startServer(config: Config, log: Logger): Promise<FeiraInstance> {
  const database = await connectDatabase(config.database, log);
  let stopping: Promise<void> | null = null;

  const bus = new EventBus((err, event) => log.error({ err, event }, 'a listener failed'));
  const version = new CatalogueVersion({ exclusive: database.exclusive });
  const outbox = new Outbox({ log });
  const { mailer, outbox: sentMails } = openMailer(config, log);
  const mail = new MailService({ mailer, outbox: sentMails, render: await loadMailTemplates(), log });
  const staffNeedTwoStep = config.twoStep.requiredForStaff;
  const apiKeys = new ApiKeyService({ bus, staffNeedTwoStep });
  const audit = new AuditService();
  const [accessSecret, refreshSecret, cookieSecret, csrfSecret] = await Promise.all([
    shopSecret('access-token'),
    shopSecret('refresh-token'),
    shopSecret('session-cookie'),
    shopSecret('csrf'),
  ]);
  const sessions = new SessionService({ bus, accessSecret, refreshSecret, staffNeedTwoStep });
  let url = '';
  const linkTo = (path: string) => new URL(path, config.http.publicUrl ?? url).href;
  const limits = new LoginLimits();
  const auth = new AuthService({ limits, mail, linkTo });
  const users = new UserService({ bus, sessions });
  const accounts = new AccountService({ bus, limits, sessions, mail, linkTo });
  const key = await encryptionKey(config.twoStep.encryptionKey);
  const twoStep = new TwoStepService({ bus, limits, sessions, mail, encryptionKey: key });
  // Without an address that people use, this machine's: its number would not do.
  const origin = () => config.http.publicUrl ?? `http://localhost:${new URL(url).port}`;
  const passkeys = new PasskeyService({ bus, limits, sessions, mail, origin });
  const catalogue = new CatalogueWriter({ bus, version });
  const categories = new CategoryService({ catalogue });
  const index = new CatalogueIndex({ version });
  const products = new ProductService({ catalogue, version, index, currency: config.currency });
  const storage = diskStorage(config.uploadsDir, '/uploads');
  const avatars = new AvatarService({ bus, storage });
  const images = new ImageService({ storage, catalogue });
  const shop = { products, currency: config.currency, rules: config.rules };
  const carts = new CartService({ shop, limits, guestSecret: await shopSecret('guest-carts') });
  const handover = new CartHandoverService({ shop });
  const coupons = new CouponService({ currency: config.currency });
  const providers = openPayments(config, log, {
    testSecret: await shopSecret('test-payments'),
    ownUrl: (path) => new URL(path, url).href,
  });
  const orderPayments = new OrderPayments({ outbox });
  const linkToOrder = (orderId: string) => linkTo(`/orders/${orderId}`);
  const payments = new PaymentService({ providers, orders: orderPayments, linkToOrder, log });
  const linkSecret = await shopSecret('order-link');
  const orders = new OrderService({ outbox, limits, linkSecret });
  const orderMoves = new OrderMovesService({ orders, outbox, payments, linkSecret });
  const expiry = new OrderExpiry({ outbox, payments, log });
  const checkout = new CheckoutService({
    ...{ handover, expiry, outbox, payments, products, linkSecret, log },
    completion: orderPayments,
  });
  const webhooks = new WebhookService({ outbox, key, ...config.webhooks });
  const jobs = new JobRunner({ log });
  const chat = new ChatService({ bus, limits, mail, log, ...config.chat });
  const personalData = new PersonalDataService({ bus, avatars, carts, chat, limits, mail });
  const newAdmin = await users.ensureAdmin(config.admin);
  const newApiKey = await apiKeys.ensureKey(config.apiKey, newAdmin?.id);
  await upgradeProducts();
  await categories.followAll();
  if (config.demoData) await new DemoDataService({ products, catalogue: demoCatalogue }).seed();
  await removeStaleUploads(config.uploadsDir);

  const isStopping = () => stopping !== null;
  const app = createApp({
    config,
    log,
    version,
    cookieSecret,
    csrfSecret,
    apiKeys,
    accounts,
    audit,
    auth,
    avatars,
    passkeys,
    sessions,
    twoStep,
    users,
    products,
    categories,
    images,
    carts,
    handover,
    coupons,
    checkout,
    orders,
    orderMoves,
    chat,
    mail,
    payments,
    personalData,
    webhooks,
    ping: database.ping,
    isStopping,
  });
  const running = new RunningRequests();
  const listener = publicCache(running.counted(app), version);
  const httpServer = createServer(
    { headersTimeout: 10_000, requestTimeout: 60_000, connectionsCheckingInterval: 5000 },
    listener,
  );
  const io = attachRealtime(httpServer, {
    config,
    log,
    bus,
    products,
    orders,
    chat,
    sessions,
    identify: identifyHandshake({ config, cookieSecret, apiKeys, sessions }),
    trustProxy: app.get('trust proxy fn'),
  });

  await listen(httpServer, config.http).catch(async (error) => {
    await database.close();
    throw error;
  });

  const stop = async () => {
    httpServer.close();
    await running.finished(STOP_LIMIT_MS);
    await jobs.stop();
    await outbox.stop();
    chat.stop();
    await closeRealtime(io, httpServer);
    await mail.stop();
    await database.close();
  };

  const { port } = httpServer.address() as AddressInfo;
  const { host } = config.http;
  url = `http://${isIPv6(host) ? `[${host}]` : host}:${port}`;
  outbox.start([
    ...shopConsumers({ bus, products, payments, orderMoves }),
    orderMails({ mail, limits, payments, linkTo, linkSecret }),
    ...webhookConsumers({ outbox, key, ...config.webhooks }),
  ]);
  jobs.start(jobsOf({ expiry }));
  return {
    url,
    newAdmin,
    newApiKey,
    stop: () => (stopping ??= stop()),
  };
}

/** @throws StartError when the port cannot be had. */
function listen(httpServer: Server, { host, port }: Config['http']): Promise<void> {
  return new Promise((resolve, reject) => {
    httpServer.once('error', (error: NodeJS.ErrnoException) => {
      const reason = error.code === 'EADDRINUSE' ? 'is in use by another program' : `cannot be had (${error.code})`;
      reject(new StartError(`Port ${port} on ${host} ${reason}. Set PORT to another one, for example PORT=8081.`));
    });
    httpServer.listen(port, host, resolve);
  });
}
