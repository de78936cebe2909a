"""Runs a workflow on Kafka: Faust workers in a consumer group, one pipeline a group of streams and partition number.

topics.py         names and layout of the topics; pure
clients.py        the one file that knows aiokafka: consumers, producers, topics
faust_app.py      the one file that knows Faust: assignment, whole batches, commits
batch.py          what Faust hands over: one fetched batch of one partition
outlet.py         emissions and rejects on their way out, at once
owner.py          whom a feed gives partitions and batches to
lane.py           one pipeline: batches in, emissions out, checkpoints, ticks
lanes.py          all lanes of one process, from assignment to hand-over
worker.py         one process, from its start to its end, and what it tells of itself
watch.py          a thread that ends a process which has work and does not get on
"""
