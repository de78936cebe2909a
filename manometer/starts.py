"""Where groups of a workflow that are new on Kafka begin to read."""

from __future__ import annotations

from engine.kafka.clients import Kafka
from engine.kafka.looking import logs_seen
from engine.kafka.topics import groups_on, inputs, state_topic, transactional_id
from engine.plan import Plan
from engine.remembered import Remembered


async def begin_at_end(plan: Plan, kafka: Kafka, names: tuple[str, ...]) -> None:
    """Save a watermark for new groups at the end of their topics, as of now, so that a worker goes on from there.

    Raises:
        KafkaError: the topics cannot be read, or the states not be written.
    """
    topics = await kafka.topics(inputs(plan))
    counts = {name: topic.partitions for name, topic in topics.items()}
    for group in groups_on(plan, counts):
        if group.name not in names:
            continue
        read = {stream: plan.streams[stream].topic for stream in group.streams}
        logs = await logs_seen(kafka, {topic: counts[topic] for topic in read.values() if topic in counts})
        for partition in range(min(counts.get(topic, 0) for topic in read.values())):
            fresh = Remembered(plan, group, partition)
            fresh.offsets = {stream: logs[topic, partition].end for stream, topic in read.items()}
            states = kafka.states(state_topic(plan), partition, transactional_id(plan, group.name, partition))
            try:
                await states.start()
                await states.write(fresh.save())
            finally:
                await states.stop()
