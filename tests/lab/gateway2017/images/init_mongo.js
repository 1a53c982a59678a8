// The users of every database, password "password", as in docker-edgex-mongo. The stand-in asks for none.
