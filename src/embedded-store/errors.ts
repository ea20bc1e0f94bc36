/** Error codes of MongoDB by their names; https://github.com/mongodb/mongo/blob/master/src/mongo/base/error_codes.yml */
const codes = {
  InternalError: 1,
  BadValue: 2,
  FailedToParse: 9,
  Unauthorized: 13,
  TypeMismatch: 14,
  Overflow: 15,
  InvalidLength: 16,
  IllegalOperation: 20,
  InvalidBSON: 22,
  NamespaceNotFound: 26,
  IndexNotFound: 27,
  PathNotViable: 28,
  ConflictingUpdateOperators: 40,
  CursorNotFound: 43,
  NamespaceExists: 48,
  MaxTimeMSExpired: 50,
  DollarPrefixedFieldName: 52,
  InvalidIdField: 53,
  NotSingleValueField: 54,
  EmptyFieldName: 56,
  CommandNotFound: 59,
  ImmutableField: 66,
  CannotCreateIndex: 67,
  InvalidOptions: 72,
  InvalidNamespace: 73,
  WriteConcernFailed: 64,
  IndexOptionsConflict: 85,
  IndexKeySpecsConflict: 86,
  UnsatisfiableWriteConcern: 100,
  WriteConflict: 112,
  CommandNotSupported: 115,
  DocumentValidationFailure: 121,
  ConversionFailure: 241,
  TransactionTooOld: 225,
  NoSuchTransaction: 251,
  TransactionCommitted: 256,
  OperationNotSupportedInTransaction: 263,
  QueryExceededMemoryLimitNoDiskUseAllowed: 292,
  BSONObjectTooLarge: 10334,
  ViewDepthLimitExceeded: 165,
  CommandNotSupportedOnView: 166,
  ExceededMemoryLimit: 146,
  InvalidUUID: 207,
  MaxSubPipelineDepthExceeded: 232,
  CannotIndexParallelArrays: 171,
  QueryPlanKilled: 175,
  SnapshotTooOld: 239,
  SnapshotUnavailable: 246,
  APIVersionError: 322,
  APIStrictError: 323,
  DuplicateKey: 11000,
  CursorInUse: 143,
  OutOfDiskSpace: 14031,
  IncompatibleCollationVersion: 161,
  InvalidPipelineOperator: 168,
  MergeStageNoMatchingDocument: 13113,
  InvalidIndexSpecificationOption: 197,
} as const;

/** Errors that MongoDB has no name for are called `Location` and their code. */
export type ErrorName = keyof typeof codes | `Location${number}`;

/** An error as MongoDB reports it; `extra` fields stand beside `code` in the reply. */
export class MongoError extends Error {
  override name = 'MongoError';
  readonly code: number;
  readonly codeName: ErrorName;
  readonly labels: readonly string[];
  readonly extra: Record<string, unknown>;

  constructor(
    codeName: ErrorName,
    message: string,
    extra: Record<string, unknown> = {},
    labels: readonly string[] = [],
  ) {
    super(message);
    this.code = codeName in codes ? codes[codeName as keyof typeof codes] : Number(codeName.slice('Location'.length));
    this.codeName = codeName;
    this.extra = extra;
    this.labels = labels;
  }
}

/** After this a driver begins the whole transaction anew. */
export function transientError(codeName: ErrorName, message: string): MongoError {
  return new MongoError(codeName, message, {}, ['TransientTransactionError']);
}

export function missingField(owner: string, field: string): MongoError {
  return new MongoError('Location40414', `BSON field '${owner}.${field}' is missing but a required field`);
}

/** The field of a command that MongoDB does not know, or that this server refuses. */
export function unknownField(command: string, field: string): MongoError {
  return new MongoError('Location40415', `BSON field '${command}.${field}' is an unknown field.`);
}
