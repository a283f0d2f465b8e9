"""How customers want names said."""

from __future__ import annotations

from django.db import models

from accounts.models import ApiKey, Organization


class PronunciationDictionary(models.Model):
    """How an organization's names are said. Each change is a new version; a request names the dictionary or one of
    its versions. `inference.pronunciations` is the only writer."""

    id = models.UUIDField(primary_key=True)
    organization = models.ForeignKey(Organization, on_delete=models.PROTECT, related_name="+")
    name = models.CharField(max_length=100)
    created_at = models.DateTimeField()

    def __str__(self) -> str:
        return f"dictionary {self.id}"


class PronunciationVersion(models.Model):
    """The rules of a dictionary at one time; never changed."""

    id = models.UUIDField(primary_key=True)
    dictionary = models.ForeignKey(PronunciationDictionary, on_delete=models.CASCADE, related_name="versions")
    number = models.PositiveIntegerField()
    rules = models.JSONField()
    """Of `inference.speech.pronunciation.PronunciationRule`, in order."""
    created_at = models.DateTimeField()

    class Meta:
        constraints = (models.UniqueConstraint(fields=["dictionary", "number"], name="version_numbered_once"),)

    def __str__(self) -> str:
        return f"version {self.number} of {self.dictionary_id}"


class KeyPronunciation(models.Model):
    """The dictionary of an API key's requests that name none."""

    api_key = models.OneToOneField(ApiKey, on_delete=models.CASCADE, primary_key=True, related_name="+")
    dictionary = models.ForeignKey(PronunciationDictionary, on_delete=models.CASCADE, related_name="+")

    def __str__(self) -> str:
        return f"dictionary {self.dictionary_id} of key {self.api_key_id}"
