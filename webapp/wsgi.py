"""What gunicorn serves."""

from foundation.office import Office
from foundation.settings import settings
from webapp import database
from webapp.app import create_app

application = create_app(
    Office(settings(), database.addresses(settings()).office, "web", pool=settings().web_threads)
)
