/** Passport's local strategy as a function: whose e-mail and password are in the body? */
import type { Request, Response } from 'express';
import { Passport } from 'passport';
import { Strategy as LocalStrategy } from 'passport-local';
import type { AuthService, UserDto } from '../services/auth.service.ts';
import { failingInTheSameTime } from './same-time.ts';

/** The body must have been parsed with the schema LogIn before. @throws what AuthService.checkCredentials does */
export function credentialCheck(auth: Pick<AuthService, 'checkCredentials'>) {
  const passport = new Passport();
  const local = new LocalStrategy(
    { usernameField: 'email', session: false, passReqToCallback: true },
    (req, email, password, done) => {
      const checked = auth.checkCredentials({ email: email.trim(), password }, req.ip ?? '');
      failingInTheSameTime(checked).then((user) => done(null, user), done);
    },
  );
  passport.use(local);
  return (req: Request, res: Response): Promise<UserDto> =>
    new Promise((resolve, reject) => {
      const decide = (error: unknown, user: UserDto) => (error ? reject(error) : resolve(user));
      passport.authenticate('local', { session: false }, decide)(req, res, reject);
    });
}
