from datamate.sdk.client import Client as Client

__version__: str
