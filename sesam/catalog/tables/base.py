"""What all tables share: the database of this process, chosen when it is opened."""

from peewee import DatabaseProxy, Model

database = DatabaseProxy()


class Row(Model):
    """A row of the catalog."""

    class Meta:
        database = database
        legacy_table_names = False
