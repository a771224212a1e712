"""What the page asks for, one module per matter. Who asks was found out before."""

from jackfield.admin.asked import Routes
from jackfield.admin.views import (
    chat,
    config,
    credentials,
    custom,
    health,
    keys,
    models,
    providers,
    routes,
    signins,
    status,
    usage,
)

VIEWS: Routes = {
    name: by_method
    for matter in (status, config, models, health, routes, usage, keys, chat, providers, credentials, custom, signins)
    for name, by_method in matter.ROUTES.items()
}
BODY_LIMITS: dict[str, int] = {
    **chat.LIMITS,
    **config.LIMITS,
    **routes.LIMITS,
}  # where more is sent than usual, in bytes
