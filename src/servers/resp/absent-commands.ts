/**
 * Redis commands that this door does not have, by kind, with the reason that a caller is given. A subcommand is listed
 * with its container: `client|pause`.
 */

export interface AbsentGroup {
  readonly group: string;
  readonly reason: string;
  readonly names: readonly string[];
}

export const ABSENT_GROUPS: readonly AbsentGroup[] = [
  {
    group: 'set',
    reason: 'sets are not kept here, only strings',
    names: words(
      'sadd scard sdiff sdiffstore sinter sintercard sinterstore sismember smembers smismember smove spop srandmember srem sscan sunion sunionstore',
    ),
  },
  {
    group: 'bitmap',
    reason: 'bitmaps are not kept here',
    names: words('bitcount bitfield bitfield_ro bitop bitpos getbit setbit'),
  },
  {
    group: 'stream',
    reason: 'streams are not kept here, only strings',
    names: words(
      'xack xadd xautoclaim xclaim xdel xgroup xinfo xlen xpending xrange xread xreadgroup xrevrange xsetid xtrim',
    ),
  },
  {
    group: 'list',
    reason: 'lists are not kept here, only strings',
    names: words(
      'blmove blmpop blpop brpop brpoplpush lindex linsert llen lmove lmpop lpop lpos lpush lpushx lrange lrem lset ltrim rpop rpoplpush rpush rpushx',
    ),
  },
  {
    group: 'sorted-set',
    reason: 'sorted sets are not kept here, only strings',
    names: words(
      'bzmpop bzpopmax bzpopmin zadd zcard zcount zdiff zdiffstore zincrby zinter zintercard zinterstore zlexcount zmpop zmscore zpopmax zpopmin zrandmember zrange zrangebylex zrangebyscore zrangestore zrank zrem zremrangebylex zremrangebyrank zremrangebyscore zrevrange zrevrangebylex zrevrangebyscore zrevrank zscan zscore zunion zunionstore',
    ),
  },
  {
    group: 'hash',
    reason: 'hashes are not kept here, only strings',
    names: words(
      'hdel hexists hget hgetall hincrby hincrbyfloat hkeys hlen hmget hmset hrandfield hscan hset hsetnx hstrlen hvals',
    ),
  },
  {
    group: 'scripting',
    reason: 'scripts are not run here',
    names: words('eval eval_ro evalsha evalsha_ro fcall fcall_ro function script'),
  },
  {
    group: 'geo',
    reason: 'places are not kept here, only strings',
    names: words(
      'geoadd geodist geohash geopos georadius georadius_ro georadiusbymember georadiusbymember_ro geosearch geosearchstore',
    ),
  },
  {
    group: 'server',
    reason: 'it is about what a Redis server does and a node does not',
    names: words(
      'acl bgrewriteaof bgsave debug failover lastsave module monitor psync replconf replicaof restore-asking save shutdown slaveof swapdb sync',
    ),
  },
  {
    group: 'generic',
    reason: 'values are not moved between servers or sorted here',
    names: words('dump migrate move restore sort sort_ro'),
  },
  {
    group: 'hyperloglog',
    reason: 'estimates are not kept here, only strings',
    names: words('pfadd pfcount pfdebug pfmerge pfselftest'),
  },
  {
    group: 'pubsub',
    reason: 'there are no channels here but the one for invalidations',
    names: words('psubscribe publish pubsub punsubscribe spublish ssubscribe sunsubscribe'),
  },
  {
    group: 'connection',
    reason: 'no client holds up the others here',
    names: words('client|pause client|unpause'),
  },
  {
    group: 'cluster',
    reason: 'who is a member, and which slots it has, `causeway cluster` changes, and the members themselves',
    names: words(
      'cluster|addslots cluster|addslotsrange cluster|bumpepoch cluster|delslots cluster|delslotsrange cluster|failover cluster|flushslots cluster|forget cluster|meet cluster|replicate cluster|reset cluster|saveconfig cluster|set-config-epoch cluster|setslot',
    ),
  },
  {
    group: 'cluster',
    reason: 'every member takes writes, none follows another: CLUSTER NODES tells all of them',
    names: words('cluster|count-failure-reports cluster|links cluster|replicas cluster|slaves'),
  },
  {
    group: 'server',
    reason: 'INFO, LATENCY HISTORY and COMMAND INFO tell what there is of it',
    names: words('command|getkeysandflags latency|graph memory|malloc-stats memory|stats'),
  },
];

function words(text: string): string[] {
  return text.split(' ');
}
