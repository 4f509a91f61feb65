"""The Lua scripts of a view: each is one transaction of Redis.

Keys of a view, all with the zone's hash tag (`{zj}:alliances:`):

    position   <when the stream was made>@<sequence up to which the view is built>
    goal       sequence up to which it must be built before it answers
    docs       hash: id → document
    seqs       hash: id → sequence of the message that the document comes from
    terms      hash: id → the document's terms, one a line
    t:<term>   set: ids of the documents that have the term
"""

from __future__ import annotations

BEGIN = """
local prefix, created, goal, last = ARGV[1], ARGV[2], ARGV[3], tonumber(ARGV[4])
local position = redis.call('GET', KEYS[1])
if position then
  local made, sequence = string.match(position, '^(.*)@(%d+)$')
  if made == created and tonumber(sequence) <= last then return tonumber(sequence) end
end
local cursor = '0'
repeat
  local found = redis.call('SCAN', cursor, 'MATCH', prefix .. '*', 'COUNT', 1000)
  cursor = found[1]
  for _, key in ipairs(found[2]) do redis.call('UNLINK', key) end
until cursor == '0'
redis.call('SET', prefix .. 'goal', goal)
redis.call('SET', KEYS[1], created .. '@0')
return 0
"""
"""The position to go on from; 0 after everything was cleared, because nothing usable is there."""

APPLY = """
local prefix, created = ARGV[1], ARGV[2]
local known, upto = tonumber(ARGV[3]), tonumber(ARGV[4])
local position = redis.call('GET', KEYS[1])
if not position then return -1 end
local made, text = string.match(position, '^(.*)@(%d+)$')
local sequence = tonumber(text)
if made ~= created or sequence < known then return -1 end
if sequence >= upto then return sequence end

local function forget(id)
  local terms = redis.call('HGET', prefix .. 'terms', id)
  if not terms then return end
  for term in string.gmatch(terms, '[^\\n]+') do
    redis.call('SREM', prefix .. 't:' .. term, id)
  end
end

local i = 5
while i <= #ARGV do
  local id, at, drop, data, terms = ARGV[i], ARGV[i + 1], ARGV[i + 2], ARGV[i + 3], ARGV[i + 4]
  i = i + 5
  local stored = tonumber(redis.call('HGET', prefix .. 'seqs', id) or '0')
  if tonumber(at) > stored then
    forget(id)
    if drop == '1' then
      redis.call('HDEL', prefix .. 'docs', id)
      redis.call('HDEL', prefix .. 'terms', id)
    else
      redis.call('HSET', prefix .. 'docs', id, data)
      redis.call('HSET', prefix .. 'terms', id, terms)
      for term in string.gmatch(terms, '[^\\n]+') do
        redis.call('SADD', prefix .. 't:' .. term, id)
      end
    end
    redis.call('HSET', prefix .. 'seqs', id, at)
  end
end
redis.call('SET', KEYS[1], created .. '@' .. upto)
return upto
"""
"""Documents and position in one go; -1 when the view is not where the caller left it."""

GET = """
local prefix = ARGV[1]
return {redis.call('GET', KEYS[1]), redis.call('GET', prefix .. 'goal'),
        redis.call('HGET', prefix .. 'docs', ARGV[2])}
"""
"""Position, goal, document."""

FIND = """
local prefix, after, limit = ARGV[1], ARGV[2], tonumber(ARGV[3])
local answer = {redis.call('GET', KEYS[1]), redis.call('GET', prefix .. 'goal')}
local hits, groups = {}, 0
local function count(ids)
  groups = groups + 1
  for _, id in ipairs(ids) do hits[id] = (hits[id] or 0) + 1 end
end
if #ARGV == 3 then count(redis.call('HKEYS', prefix .. 'docs')) end
for i = 4, #ARGV do
  local keys = {}
  for term in string.gmatch(ARGV[i], '[^\\n]+') do keys[#keys + 1] = prefix .. 't:' .. term end
  count(redis.call('SUNION', unpack(keys)))
end
local ids = {}
for id, number in pairs(hits) do
  if number == groups and id > after then ids[#ids + 1] = id end
end
table.sort(ids)
local next = ''
if #ids > limit then next = ids[limit] end
answer[3] = next
for i = 1, math.min(#ids, limit) do
  answer[#answer + 1] = redis.call('HGET', prefix .. 'docs', ids[i])
end
return answer
"""
"""Position, goal, where the next page starts, and the documents in the order of their ids."""
