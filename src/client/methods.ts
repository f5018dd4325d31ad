/** Every method that the client calls, with its request and response types. */
import { causeway } from '../gen/protocol.js';
import type { Method } from './nodes.ts';

const { v1 } = causeway;

const read = <Fields, Decoded>(
  path: string,
  request: Method<Fields, Decoded>['request'],
  answer: Method<Fields, Decoded>['answer'],
) => ({ path: `/causeway.v1.${path}`, request, answer, isWrite: false }) satisfies Method<Fields, Decoded>;
const write = <Fields, Decoded>(
  path: string,
  request: Method<Fields, Decoded>['request'],
  answer: Method<Fields, Decoded>['answer'],
) => ({ ...read(path, request, answer), isWrite: true }) satisfies Method<Fields, Decoded>;

export const METHODS = {
  get: read('KeyValue/Get', v1.GetRequest, v1.GetResponse),
  put: write('KeyValue/Put', v1.PutRequest, v1.PutResponse),
  delete: write('KeyValue/Delete', v1.DeleteRequest, v1.DeleteResponse),
  compareAndPut: write('KeyValue/CompareAndPut', v1.CompareAndPutRequest, v1.CompareResponse),
  compareAndDelete: write('KeyValue/CompareAndDelete', v1.CompareAndDeleteRequest, v1.CompareResponse),
  increment: write('KeyValue/Increment', v1.IncrementRequest, v1.IncrementResponse),
  getMany: read('KeyValue/GetMany', v1.GetManyRequest, v1.GetManyResponse),
  putMany: write('KeyValue/PutMany', v1.PutManyRequest, v1.PutManyResponse),
  pipeline: write('KeyValue/Pipeline', v1.PipelineRequest, v1.PipelineResponse),
  export: read('KeyValue/Export', v1.ExportRequest, v1.ExportPage),
  inspect: read('Admin/Inspect', v1.InspectRequest, v1.InspectResponse),
  status: read('Admin/Status', v1.StatusRequest, v1.StatusResponse),
  scrub: write('Admin/Scrub', v1.ScrubRequest, v1.ScrubResponse),
  describe: read('Admin/Describe', v1.DescribeRequest, v1.DescribeResponse),
  plan: read('Admin/Plan', v1.PlanRequest, v1.PlanResponse),
  loss: read('Admin/Loss', v1.LossRequest, v1.LossResponse),
  recover: write('Admin/Recover', v1.RecoverRequest, v1.ChangeResponse),
  quorum: read('Admin/Quorum', v1.QuorumRequest, v1.QuorumResponse),
  succeed: write('Admin/Succeed', v1.SucceedRequest, v1.ChangeResponse),
  recordServer: read('Admin/RecordServer', v1.RecordServerRequest, v1.RecordServerResponse),
  adoptRecord: write('Admin/AdoptRecord', v1.AdoptRecordRequest, v1.ChangeResponse),
  leave: write('Admin/Leave', v1.LeaveRequest, v1.ChangeResponse),
  finishUpgrade: write('Admin/FinishUpgrade', v1.FinishUpgradeRequest, v1.ChangeResponse),
  rebalance: write('Admin/Rebalance', v1.RebalanceRequest, v1.ChangeResponse),
};
