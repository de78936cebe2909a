"""Runs a workflow on Kafka: Faust workers in a consumer group, one pipeline a group of streams and partition number.

topics.py         names and layout of the topics; pure
clients.py        the one file that knows aiokafka: consumers, producers, topics
faust_app.py      the one file that knows Faust: assignment, whole batches, commits
batch.py          what Faust hands over: one fetched batch of one partition
opening.py        starts and stops clients so that no connection stays open
outlet.py         emissions and rejects on their way out, at once
owner.py          whom a feed gives partitions and batches to
turns.py          what waits in one lane, and whose turn it is; waiting.py is one stream of it
lane.py           one pipeline: batches in, emissions out, checkpoints, ticks
lanes.py          all lanes of one process, from assignment to hand-over
repartitioner.py  copies streams that say `repartition`, in step; copied.py is one of them, positions.py how far it is
uncopied.py       which streams are not copied to their end
revisions.py      which file of a workflow is the newest; starts.py: where its groups begin, and the end of those gone
worker.py         one process, from its start to its end, and what it tells of itself
watch.py          a thread that ends a process which has work and does not get on; stuck.py tells it as an alert
"""
