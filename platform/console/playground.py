"""Sample texts of the playground, and a member's recent generations."""

from __future__ import annotations

from dataclasses import dataclass

from django.db.models import QuerySet
from django.utils import timezone

from console.access import Member
from inference.models import AudioAsset
from inference.speech.voices import DEFAULT_VOICE

MOST_LISTED = 20
WRITTEN = (
    "Of course! There are three good reasons to leave early. First, the bridge closes at 9:30 p.m. Second, "
    "Dr. Lee expects you before ten, and third, it is going to rain. Shall I order a taxi for you?"
)
"""What the page for speech that is still being written begins with."""


@dataclass(frozen=True, slots=True)
class Template:
    """A sample text with its style and voices."""

    name: str
    text: str
    style: str = ""
    voice: str = DEFAULT_VOICE
    second_voice: str = "onyx"


TEMPLATES = (
    Template(
        "Narration",
        "Before the first train leaves, the station belongs to the pigeons. They walk the platform like "
        "inspectors, heads nodding, as if every stone had to be counted again each morning.",
        "A calm narrator of a documentary, close to the microphone.",
        "sage",
    ),
    Template(
        "Support agent",
        "Thanks for calling. I can see your order left our warehouse this morning, so it should reach you by "
        "Thursday. Would you like me to text you when the driver is ten minutes away?",
        "A friendly support agent, unhurried and clear.",
        "coral",
    ),
    Template(
        "News",
        "Good evening. The city council voted tonight to keep the old harbour bridge open to cyclists. Repairs "
        "begin in March and are expected to take eleven weeks.",
        "A newsreader in a studio, even and precise.",
        "echo",
    ),
    Template(
        "Dialogue",
        "[SPEAKER0] Did you hear that?\n[SPEAKER1] Hear what?\n[SPEAKER0] Exactly. The fridge has stopped humming."
        "\n[SPEAKER1] Then the ice cream is yours to save.",
        "Two friends in a kitchen late at night.",
        "nova",
        "onyx",
    ),
    Template(
        "Numbers and dates",
        "Your appointment is on March 3rd, 2027, at 9:45 a.m. Please bring $24.50 and form B-17, and call "
        "555-0142 if you are more than 15 minutes late.",
    ),
    Template(
        "Audiobook",
        "She had promised herself not to open the letter until dark. But the afternoon was long, the house was "
        "quiet, and the envelope lay on the table as though it were listening.",
        "An audiobook reader, warm, with room for pauses.",
        "fable",
    ),
    Template(
        "Announcement",
        "Attention, please. The 6:20 service to the airport now departs from platform four. We are sorry for the "
        "change.",
        "A station announcement, clear and measured.",
        "marin",
    ),
)


def recent(member: Member) -> QuerySet[AudioAsset]:
    """The member's generations whose audio has not expired, newest first."""
    return (
        AudioAsset.objects.filter(
            organization=member.organization,
            job__api_key__playground_of=member.user,
            purged_at=None,
            expires_at__gt=timezone.now(),
        )
        .select_related("job")
        .order_by("-created_at")[:MOST_LISTED]
    )
