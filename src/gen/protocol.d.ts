/** Made by scripts/generate.js from proto/. Do not edit: change the .proto and run `npm run generate`. */
import type { Writer } from 'protobufjs/minimal.js';

export interface MessageType<Decoded, Fields> {
  encode(message: Fields): Writer;
  decode(bytes: Uint8Array): Decoded;
}

export namespace cache {
  export interface SetRequest {
    key: string;
    value: Uint8Array;
  }
  export interface SetRequestFields {
    key?: string | null | undefined;
    value?: Uint8Array | null | undefined;
  }
  export const SetRequest: MessageType<SetRequest, SetRequestFields>;
  export interface SetResponse {
    success: boolean;
  }
  export interface SetResponseFields {
    success?: boolean | null | undefined;
  }
  export const SetResponse: MessageType<SetResponse, SetResponseFields>;
  export interface GetRequest {
    key: string;
  }
  export interface GetRequestFields {
    key?: string | null | undefined;
  }
  export const GetRequest: MessageType<GetRequest, GetRequestFields>;
  export interface GetResponse {
    value: Uint8Array;
    found: boolean;
  }
  export interface GetResponseFields {
    value?: Uint8Array | null | undefined;
    found?: boolean | null | undefined;
  }
  export const GetResponse: MessageType<GetResponse, GetResponseFields>;
}

export namespace causeway.v1 {
  export const Origin: { readonly ORIGIN_CLIENT: 0; readonly ORIGIN_LEGACY: 1; readonly ORIGIN_OUTSIDE: 2 };
  export const Certainty: { readonly CERTAINTY_DEFINITE: 0; readonly CERTAINTY_INDEFINITE: 1 };
  export interface Record {
    value: Uint8Array;
    version: number;
    origin: number;
    ageMs: number;
    createdAtMs: number;
    updatedAtMs: number;
    expiresAtMs: number;
    contentType: string;
  }
  export interface RecordFields {
    value?: Uint8Array | null | undefined;
    version?: number | null | undefined;
    origin?: number | null | undefined;
    ageMs?: number | null | undefined;
    createdAtMs?: number | null | undefined;
    updatedAtMs?: number | null | undefined;
    expiresAtMs?: number | null | undefined;
    contentType?: string | null | undefined;
  }
  export const Record: MessageType<Record, RecordFields>;
  export interface Failure {
    code: string;
    certainty: number;
    message: string;
  }
  export interface FailureFields {
    code?: string | null | undefined;
    certainty?: number | null | undefined;
    message?: string | null | undefined;
  }
  export const Failure: MessageType<Failure, FailureFields>;
  export interface GetRequest {
    key: string;
    allowStale: boolean;
  }
  export interface GetRequestFields {
    key?: string | null | undefined;
    allowStale?: boolean | null | undefined;
  }
  export const GetRequest: MessageType<GetRequest, GetRequestFields>;
  export interface GetResponse {
    record: causeway.v1.Record | null;
    stale: boolean;
    staleMs: number;
  }
  export interface GetResponseFields {
    record?: causeway.v1.RecordFields | null | undefined;
    stale?: boolean | null | undefined;
    staleMs?: number | null | undefined;
  }
  export const GetResponse: MessageType<GetResponse, GetResponseFields>;
  export interface PutRequest {
    key: string;
    value: Uint8Array;
    ttlMs: number;
    operationId: Uint8Array;
    contentType: string;
  }
  export interface PutRequestFields {
    key?: string | null | undefined;
    value?: Uint8Array | null | undefined;
    ttlMs?: number | null | undefined;
    operationId?: Uint8Array | null | undefined;
    contentType?: string | null | undefined;
  }
  export const PutRequest: MessageType<PutRequest, PutRequestFields>;
  export interface PutResponse {
    version: number;
  }
  export interface PutResponseFields {
    version?: number | null | undefined;
  }
  export const PutResponse: MessageType<PutResponse, PutResponseFields>;
  export interface DeleteRequest {
    key: string;
    operationId: Uint8Array;
  }
  export interface DeleteRequestFields {
    key?: string | null | undefined;
    operationId?: Uint8Array | null | undefined;
  }
  export const DeleteRequest: MessageType<DeleteRequest, DeleteRequestFields>;
  export interface DeleteResponse {
    version: number;
  }
  export interface DeleteResponseFields {
    version?: number | null | undefined;
  }
  export const DeleteResponse: MessageType<DeleteResponse, DeleteResponseFields>;
  export interface CompareAndPutRequest {
    key: string;
    expectVersion: number | null;
    expectValue: Uint8Array | null;
    expectAbsent: boolean | null;
    value: Uint8Array;
    ttlMs: number;
    operationId: Uint8Array;
    contentType: string;
    readonly expect?: 'expectVersion' | 'expectValue' | 'expectAbsent';
  }
  export interface CompareAndPutRequestFields {
    key?: string | null | undefined;
    expectVersion?: number | null | undefined;
    expectValue?: Uint8Array | null | undefined;
    expectAbsent?: boolean | null | undefined;
    value?: Uint8Array | null | undefined;
    ttlMs?: number | null | undefined;
    operationId?: Uint8Array | null | undefined;
    contentType?: string | null | undefined;
  }
  export const CompareAndPutRequest: MessageType<CompareAndPutRequest, CompareAndPutRequestFields>;
  export interface CompareAndDeleteRequest {
    key: string;
    expectVersion: number | null;
    expectValue: Uint8Array | null;
    operationId: Uint8Array;
    readonly expect?: 'expectVersion' | 'expectValue';
  }
  export interface CompareAndDeleteRequestFields {
    key?: string | null | undefined;
    expectVersion?: number | null | undefined;
    expectValue?: Uint8Array | null | undefined;
    operationId?: Uint8Array | null | undefined;
  }
  export const CompareAndDeleteRequest: MessageType<CompareAndDeleteRequest, CompareAndDeleteRequestFields>;
  export interface CompareResponse {
    applied: boolean;
    version: number;
    current: causeway.v1.Record | null;
  }
  export interface CompareResponseFields {
    applied?: boolean | null | undefined;
    version?: number | null | undefined;
    current?: causeway.v1.RecordFields | null | undefined;
  }
  export const CompareResponse: MessageType<CompareResponse, CompareResponseFields>;
  export interface IncrementRequest {
    key: string;
    delta: bigint;
    operationId: Uint8Array;
  }
  export interface IncrementRequestFields {
    key?: string | null | undefined;
    delta?: bigint | null | undefined;
    operationId?: Uint8Array | null | undefined;
  }
  export const IncrementRequest: MessageType<IncrementRequest, IncrementRequestFields>;
  export interface IncrementResponse {
    total: bigint;
    version: number;
  }
  export interface IncrementResponseFields {
    total?: bigint | null | undefined;
    version?: number | null | undefined;
  }
  export const IncrementResponse: MessageType<IncrementResponse, IncrementResponseFields>;
  export interface GetManyRequest {
    keys: string[];
    allowStale: boolean;
  }
  export interface GetManyRequestFields {
    keys?: readonly string[] | null | undefined;
    allowStale?: boolean | null | undefined;
  }
  export const GetManyRequest: MessageType<GetManyRequest, GetManyRequestFields>;
  export interface GetManyResult {
    get: causeway.v1.GetResponse | null;
    failure: causeway.v1.Failure | null;
    readonly result?: 'get' | 'failure';
  }
  export interface GetManyResultFields {
    get?: causeway.v1.GetResponseFields | null | undefined;
    failure?: causeway.v1.FailureFields | null | undefined;
  }
  export const GetManyResult: MessageType<GetManyResult, GetManyResultFields>;
  export interface GetManyResponse {
    results: causeway.v1.GetManyResult[];
  }
  export interface GetManyResponseFields {
    results?: readonly causeway.v1.GetManyResultFields[] | null | undefined;
  }
  export const GetManyResponse: MessageType<GetManyResponse, GetManyResponseFields>;
  export interface PutManyRequest {
    puts: causeway.v1.PutRequest[];
  }
  export interface PutManyRequestFields {
    puts?: readonly causeway.v1.PutRequestFields[] | null | undefined;
  }
  export const PutManyRequest: MessageType<PutManyRequest, PutManyRequestFields>;
  export interface PutManyResult {
    put: causeway.v1.PutResponse | null;
    failure: causeway.v1.Failure | null;
    readonly result?: 'put' | 'failure';
  }
  export interface PutManyResultFields {
    put?: causeway.v1.PutResponseFields | null | undefined;
    failure?: causeway.v1.FailureFields | null | undefined;
  }
  export const PutManyResult: MessageType<PutManyResult, PutManyResultFields>;
  export interface PutManyResponse {
    results: causeway.v1.PutManyResult[];
  }
  export interface PutManyResponseFields {
    results?: readonly causeway.v1.PutManyResultFields[] | null | undefined;
  }
  export const PutManyResponse: MessageType<PutManyResponse, PutManyResponseFields>;
  export interface Operation {
    number: number;
    get: causeway.v1.GetRequest | null;
    put: causeway.v1.PutRequest | null;
    delete: causeway.v1.DeleteRequest | null;
    compareAndPut: causeway.v1.CompareAndPutRequest | null;
    compareAndDelete: causeway.v1.CompareAndDeleteRequest | null;
    increment: causeway.v1.IncrementRequest | null;
    traceparent: string;
    tracestate: string;
    readonly request?: 'get' | 'put' | 'delete' | 'compareAndPut' | 'compareAndDelete' | 'increment';
  }
  export interface OperationFields {
    number?: number | null | undefined;
    get?: causeway.v1.GetRequestFields | null | undefined;
    put?: causeway.v1.PutRequestFields | null | undefined;
    delete?: causeway.v1.DeleteRequestFields | null | undefined;
    compareAndPut?: causeway.v1.CompareAndPutRequestFields | null | undefined;
    compareAndDelete?: causeway.v1.CompareAndDeleteRequestFields | null | undefined;
    increment?: causeway.v1.IncrementRequestFields | null | undefined;
    traceparent?: string | null | undefined;
    tracestate?: string | null | undefined;
  }
  export const Operation: MessageType<Operation, OperationFields>;
  export interface OperationResult {
    number: number;
    get: causeway.v1.GetResponse | null;
    put: causeway.v1.PutResponse | null;
    delete: causeway.v1.DeleteResponse | null;
    compare: causeway.v1.CompareResponse | null;
    increment: causeway.v1.IncrementResponse | null;
    failure: causeway.v1.Failure | null;
    readonly result?: 'get' | 'put' | 'delete' | 'compare' | 'increment' | 'failure';
  }
  export interface OperationResultFields {
    number?: number | null | undefined;
    get?: causeway.v1.GetResponseFields | null | undefined;
    put?: causeway.v1.PutResponseFields | null | undefined;
    delete?: causeway.v1.DeleteResponseFields | null | undefined;
    compare?: causeway.v1.CompareResponseFields | null | undefined;
    increment?: causeway.v1.IncrementResponseFields | null | undefined;
    failure?: causeway.v1.FailureFields | null | undefined;
  }
  export const OperationResult: MessageType<OperationResult, OperationResultFields>;
  export interface PipelineRequest {
    operations: causeway.v1.Operation[];
    timeoutMs: number;
  }
  export interface PipelineRequestFields {
    operations?: readonly causeway.v1.OperationFields[] | null | undefined;
    timeoutMs?: number | null | undefined;
  }
  export const PipelineRequest: MessageType<PipelineRequest, PipelineRequestFields>;
  export interface PipelineResponse {
    results: causeway.v1.OperationResult[];
  }
  export interface PipelineResponseFields {
    results?: readonly causeway.v1.OperationResultFields[] | null | undefined;
  }
  export const PipelineResponse: MessageType<PipelineResponse, PipelineResponseFields>;
  export interface ExportRequest {
    after: string;
  }
  export interface ExportRequestFields {
    after?: string | null | undefined;
  }
  export const ExportRequest: MessageType<ExportRequest, ExportRequestFields>;
  export interface ExportEntry {
    key: string;
    record: causeway.v1.Record | null;
  }
  export interface ExportEntryFields {
    key?: string | null | undefined;
    record?: causeway.v1.RecordFields | null | undefined;
  }
  export const ExportEntry: MessageType<ExportEntry, ExportEntryFields>;
  export interface ExportPage {
    entries: causeway.v1.ExportEntry[];
    next: string;
    incomplete: boolean;
  }
  export interface ExportPageFields {
    entries?: readonly causeway.v1.ExportEntryFields[] | null | undefined;
    next?: string | null | undefined;
    incomplete?: boolean | null | undefined;
  }
  export const ExportPage: MessageType<ExportPage, ExportPageFields>;
  export interface InspectRequest {
    key: string;
  }
  export interface InspectRequestFields {
    key?: string | null | undefined;
  }
  export const InspectRequest: MessageType<InspectRequest, InspectRequestFields>;
  export interface InspectResponse {
    owner: boolean;
    slot: number;
    valid: boolean;
    tombstone: boolean;
    record: causeway.v1.Record | null;
  }
  export interface InspectResponseFields {
    owner?: boolean | null | undefined;
    slot?: number | null | undefined;
    valid?: boolean | null | undefined;
    tombstone?: boolean | null | undefined;
    record?: causeway.v1.RecordFields | null | undefined;
  }
  export const InspectResponse: MessageType<InspectResponse, InspectResponseFields>;
  export interface StatusRequest {
  }
  export interface StatusRequestFields {
  }
  export const StatusRequest: MessageType<StatusRequest, StatusRequestFields>;
  export interface StatusResponse {
    json: string;
  }
  export interface StatusResponseFields {
    json?: string | null | undefined;
  }
  export const StatusResponse: MessageType<StatusResponse, StatusResponseFields>;
  export interface ScrubRequest {
    recordsPerSecondMax: number;
    bytesPerSecondMax: number;
  }
  export interface ScrubRequestFields {
    recordsPerSecondMax?: number | null | undefined;
    bytesPerSecondMax?: number | null | undefined;
  }
  export const ScrubRequest: MessageType<ScrubRequest, ScrubRequestFields>;
  export interface ScrubResponse {
    number: number;
  }
  export interface ScrubResponseFields {
    number?: number | null | undefined;
  }
  export const ScrubResponse: MessageType<ScrubResponse, ScrubResponseFields>;
  export interface DescribeRequest {
  }
  export interface DescribeRequestFields {
  }
  export const DescribeRequest: MessageType<DescribeRequest, DescribeRequestFields>;
  export interface DescribeResponse {
    clusterName: string;
    settings: causeway.v1.AgreedSetting[];
    members: causeway.v1.ClusterMember[];
  }
  export interface DescribeResponseFields {
    clusterName?: string | null | undefined;
    settings?: readonly causeway.v1.AgreedSettingFields[] | null | undefined;
    members?: readonly causeway.v1.ClusterMemberFields[] | null | undefined;
  }
  export const DescribeResponse: MessageType<DescribeResponse, DescribeResponseFields>;
  export interface AgreedSetting {
    name: string;
    value: string;
  }
  export interface AgreedSettingFields {
    name?: string | null | undefined;
    value?: string | null | undefined;
  }
  export const AgreedSetting: MessageType<AgreedSetting, AgreedSettingFields>;
  export interface ClusterMember {
    name: string;
    address: string;
    zone: string;
    host: string;
    alive: boolean;
  }
  export interface ClusterMemberFields {
    name?: string | null | undefined;
    address?: string | null | undefined;
    zone?: string | null | undefined;
    host?: string | null | undefined;
    alive?: boolean | null | undefined;
  }
  export const ClusterMember: MessageType<ClusterMember, ClusterMemberFields>;
  export interface LeaveRequest {
    name: string;
  }
  export interface LeaveRequestFields {
    name?: string | null | undefined;
  }
  export const LeaveRequest: MessageType<LeaveRequest, LeaveRequestFields>;
  export interface RebalanceRequest {
  }
  export interface RebalanceRequestFields {
  }
  export const RebalanceRequest: MessageType<RebalanceRequest, RebalanceRequestFields>;
  export interface FinishUpgradeRequest {
  }
  export interface FinishUpgradeRequestFields {
  }
  export const FinishUpgradeRequest: MessageType<FinishUpgradeRequest, FinishUpgradeRequestFields>;
  export interface ChangeResponse {
    epoch: number;
  }
  export interface ChangeResponseFields {
    epoch?: number | null | undefined;
  }
  export const ChangeResponse: MessageType<ChangeResponse, ChangeResponseFields>;
  export interface PlanRequest {
    joins: causeway.v1.PlannedJoin[];
    leaves: string[];
  }
  export interface PlanRequestFields {
    joins?: readonly causeway.v1.PlannedJoinFields[] | null | undefined;
    leaves?: readonly string[] | null | undefined;
  }
  export const PlanRequest: MessageType<PlanRequest, PlanRequestFields>;
  export interface PlannedJoin {
    name: string;
    zone: string;
    host: string;
    weight: number;
  }
  export interface PlannedJoinFields {
    name?: string | null | undefined;
    zone?: string | null | undefined;
    host?: string | null | undefined;
    weight?: number | null | undefined;
  }
  export const PlannedJoin: MessageType<PlannedJoin, PlannedJoinFields>;
  export interface PlanResponse {
    shares: causeway.v1.PlannedShare[];
    slotsCopied: number;
    recordsCopied: number;
    obstacle: string;
  }
  export interface PlanResponseFields {
    shares?: readonly causeway.v1.PlannedShareFields[] | null | undefined;
    slotsCopied?: number | null | undefined;
    recordsCopied?: number | null | undefined;
    obstacle?: string | null | undefined;
  }
  export const PlanResponse: MessageType<PlanResponse, PlanResponseFields>;
  export interface LossRequest {
  }
  export interface LossRequestFields {
  }
  export const LossRequest: MessageType<LossRequest, LossRequestFields>;
  export interface LossResponse {
    slots: number[];
    holders: causeway.v1.LostHolder[];
    recordsHere: number;
    recordsKept: number;
    hasMoreKept: boolean;
    isCounted: boolean;
    notWrittenThrough: string[];
    recovering: number;
  }
  export interface LossResponseFields {
    slots?: readonly number[] | null | undefined;
    holders?: readonly causeway.v1.LostHolderFields[] | null | undefined;
    recordsHere?: number | null | undefined;
    recordsKept?: number | null | undefined;
    hasMoreKept?: boolean | null | undefined;
    isCounted?: boolean | null | undefined;
    notWrittenThrough?: readonly string[] | null | undefined;
    recovering?: number | null | undefined;
  }
  export const LossResponse: MessageType<LossResponse, LossResponseFields>;
  export interface LostHolder {
    name: string;
    slots: number;
    isMember: boolean;
  }
  export interface LostHolderFields {
    name?: string | null | undefined;
    slots?: number | null | undefined;
    isMember?: boolean | null | undefined;
  }
  export const LostHolder: MessageType<LostHolder, LostHolderFields>;
  export interface RecoverRequest {
    slots: number;
  }
  export interface RecoverRequestFields {
    slots?: number | null | undefined;
  }
  export const RecoverRequest: MessageType<RecoverRequest, RecoverRequestFields>;
  export interface QuorumRequest {
  }
  export interface QuorumRequestFields {
  }
  export const QuorumRequest: MessageType<QuorumRequest, QuorumRequestFields>;
  export interface QuorumResponse {
    epoch: number;
    life: number;
    lifeKept: number;
    isLifeKnown: boolean;
    members: causeway.v1.QuorumMember[];
    isLost: boolean;
    ownersNeeded: number;
    notWrittenThrough: string[];
  }
  export interface QuorumResponseFields {
    epoch?: number | null | undefined;
    life?: number | null | undefined;
    lifeKept?: number | null | undefined;
    isLifeKnown?: boolean | null | undefined;
    members?: readonly causeway.v1.QuorumMemberFields[] | null | undefined;
    isLost?: boolean | null | undefined;
    ownersNeeded?: number | null | undefined;
    notWrittenThrough?: readonly string[] | null | undefined;
  }
  export const QuorumResponse: MessageType<QuorumResponse, QuorumResponseFields>;
  export interface QuorumMember {
    name: string;
    isUp: boolean;
    votes: boolean;
  }
  export interface QuorumMemberFields {
    name?: string | null | undefined;
    isUp?: boolean | null | undefined;
    votes?: boolean | null | undefined;
  }
  export const QuorumMember: MessageType<QuorumMember, QuorumMemberFields>;
  export interface SucceedRequest {
    lost: string[];
    lifeKept: number;
  }
  export interface SucceedRequestFields {
    lost?: readonly string[] | null | undefined;
    lifeKept?: number | null | undefined;
  }
  export const SucceedRequest: MessageType<SucceedRequest, SucceedRequestFields>;
  export interface RecordServerIdentity {
    system: string;
    timeline: number;
    clusterId: string;
    life: number;
  }
  export interface RecordServerIdentityFields {
    system?: string | null | undefined;
    timeline?: number | null | undefined;
    clusterId?: string | null | undefined;
    life?: number | null | undefined;
  }
  export const RecordServerIdentity: MessageType<RecordServerIdentity, RecordServerIdentityFields>;
  export interface RecordServerRequest {
  }
  export interface RecordServerRequestFields {
  }
  export const RecordServerRequest: MessageType<RecordServerRequest, RecordServerRequestFields>;
  export interface RecordServerResponse {
    known: causeway.v1.RecordServerIdentity | null;
    drive: number;
    isDriven: boolean;
    seen: causeway.v1.RecordServerIdentity | null;
    hasRows: boolean;
    rowCount: number;
    isCounted: boolean;
    newestAtMs: number;
    verdict: string;
    why: string;
    loses: string;
  }
  export interface RecordServerResponseFields {
    known?: causeway.v1.RecordServerIdentityFields | null | undefined;
    drive?: number | null | undefined;
    isDriven?: boolean | null | undefined;
    seen?: causeway.v1.RecordServerIdentityFields | null | undefined;
    hasRows?: boolean | null | undefined;
    rowCount?: number | null | undefined;
    isCounted?: boolean | null | undefined;
    newestAtMs?: number | null | undefined;
    verdict?: string | null | undefined;
    why?: string | null | undefined;
    loses?: string | null | undefined;
  }
  export const RecordServerResponse: MessageType<RecordServerResponse, RecordServerResponseFields>;
  export interface AdoptRecordRequest {
    seen: causeway.v1.RecordServerIdentity | null;
    isBackup: boolean;
    mayLose: boolean;
  }
  export interface AdoptRecordRequestFields {
    seen?: causeway.v1.RecordServerIdentityFields | null | undefined;
    isBackup?: boolean | null | undefined;
    mayLose?: boolean | null | undefined;
  }
  export const AdoptRecordRequest: MessageType<AdoptRecordRequest, AdoptRecordRequestFields>;
  export interface PlannedShare {
    name: string;
    slotsBefore: number;
    slotsAfter: number;
    slotsGained: number;
  }
  export interface PlannedShareFields {
    name?: string | null | undefined;
    slotsBefore?: number | null | undefined;
    slotsAfter?: number | null | undefined;
    slotsGained?: number | null | undefined;
  }
  export const PlannedShare: MessageType<PlannedShare, PlannedShareFields>;
}

export namespace grpc.health.v1 {
  export interface HealthCheckRequest {
    service: string;
  }
  export interface HealthCheckRequestFields {
    service?: string | null | undefined;
  }
  export const HealthCheckRequest: MessageType<HealthCheckRequest, HealthCheckRequestFields>;
  export interface HealthCheckResponse {
    status: number;
  }
  export interface HealthCheckResponseFields {
    status?: number | null | undefined;
  }
  export const HealthCheckResponse: MessageType<HealthCheckResponse, HealthCheckResponseFields> & { readonly ServingStatus: { readonly UNKNOWN: 0; readonly SERVING: 1; readonly NOT_SERVING: 2; readonly SERVICE_UNKNOWN: 3 } };
}

export namespace grpc.reflection.v1 {
  export interface ServerReflectionRequest {
    host: string;
    fileByFilename: string | null;
    fileContainingSymbol: string | null;
    fileContainingExtension: grpc.reflection.v1.ExtensionRequest | null;
    allExtensionNumbersOfType: string | null;
    listServices: string | null;
    readonly messageRequest?: 'fileByFilename' | 'fileContainingSymbol' | 'fileContainingExtension' | 'allExtensionNumbersOfType' | 'listServices';
  }
  export interface ServerReflectionRequestFields {
    host?: string | null | undefined;
    fileByFilename?: string | null | undefined;
    fileContainingSymbol?: string | null | undefined;
    fileContainingExtension?: grpc.reflection.v1.ExtensionRequestFields | null | undefined;
    allExtensionNumbersOfType?: string | null | undefined;
    listServices?: string | null | undefined;
  }
  export const ServerReflectionRequest: MessageType<ServerReflectionRequest, ServerReflectionRequestFields>;
  export interface ExtensionRequest {
    containingType: string;
    extensionNumber: number;
  }
  export interface ExtensionRequestFields {
    containingType?: string | null | undefined;
    extensionNumber?: number | null | undefined;
  }
  export const ExtensionRequest: MessageType<ExtensionRequest, ExtensionRequestFields>;
  export interface ServerReflectionResponse {
    validHost: string;
    originalRequest: grpc.reflection.v1.ServerReflectionRequest | null;
    fileDescriptorResponse: grpc.reflection.v1.FileDescriptorResponse | null;
    allExtensionNumbersResponse: grpc.reflection.v1.ExtensionNumberResponse | null;
    listServicesResponse: grpc.reflection.v1.ListServiceResponse | null;
    errorResponse: grpc.reflection.v1.ErrorResponse | null;
    readonly messageResponse?: 'fileDescriptorResponse' | 'allExtensionNumbersResponse' | 'listServicesResponse' | 'errorResponse';
  }
  export interface ServerReflectionResponseFields {
    validHost?: string | null | undefined;
    originalRequest?: grpc.reflection.v1.ServerReflectionRequestFields | null | undefined;
    fileDescriptorResponse?: grpc.reflection.v1.FileDescriptorResponseFields | null | undefined;
    allExtensionNumbersResponse?: grpc.reflection.v1.ExtensionNumberResponseFields | null | undefined;
    listServicesResponse?: grpc.reflection.v1.ListServiceResponseFields | null | undefined;
    errorResponse?: grpc.reflection.v1.ErrorResponseFields | null | undefined;
  }
  export const ServerReflectionResponse: MessageType<ServerReflectionResponse, ServerReflectionResponseFields>;
  export interface FileDescriptorResponse {
    fileDescriptorProto: Uint8Array[];
  }
  export interface FileDescriptorResponseFields {
    fileDescriptorProto?: readonly Uint8Array[] | null | undefined;
  }
  export const FileDescriptorResponse: MessageType<FileDescriptorResponse, FileDescriptorResponseFields>;
  export interface ExtensionNumberResponse {
    baseTypeName: string;
    extensionNumber: number[];
  }
  export interface ExtensionNumberResponseFields {
    baseTypeName?: string | null | undefined;
    extensionNumber?: readonly number[] | null | undefined;
  }
  export const ExtensionNumberResponse: MessageType<ExtensionNumberResponse, ExtensionNumberResponseFields>;
  export interface ListServiceResponse {
    service: grpc.reflection.v1.ServiceResponse[];
  }
  export interface ListServiceResponseFields {
    service?: readonly grpc.reflection.v1.ServiceResponseFields[] | null | undefined;
  }
  export const ListServiceResponse: MessageType<ListServiceResponse, ListServiceResponseFields>;
  export interface ServiceResponse {
    name: string;
  }
  export interface ServiceResponseFields {
    name?: string | null | undefined;
  }
  export const ServiceResponse: MessageType<ServiceResponse, ServiceResponseFields>;
  export interface ErrorResponse {
    errorCode: number;
    errorMessage: string;
  }
  export interface ErrorResponseFields {
    errorCode?: number | null | undefined;
    errorMessage?: string | null | undefined;
  }
  export const ErrorResponse: MessageType<ErrorResponse, ErrorResponseFields>;
}
